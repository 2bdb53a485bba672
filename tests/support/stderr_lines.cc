// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/stderr_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

constexpr std::string_view kEnd = "end of what was written before";

bool Contains(const std::string& line, std::string_view text) {
  return line.find(text) != std::string::npos;
}

}  // namespace

StderrLines::StderrLines() : former_(dup(STDERR_FILENO)) {
  if (pipe2(ends_, O_CLOEXEC) != 0) Die("no pipe");
  dup2(ends_[1], STDERR_FILENO);
}

StderrLines::~StderrLines() {
  dup2(former_, STDERR_FILENO);
  for (const int end : {former_, ends_[0], ends_[1]}) close(end);
}

std::string StderrLines::AwaitLine(std::string_view text) {
  while (true) {
    std::string line = NextLine();
    if (Contains(line, text)) return line;
  }
}

std::vector<std::string> StderrLines::MoreLines(std::string_view text) {
  const std::string end = std::string(kEnd) + "\n";
  if (write(ends_[1], end.data(), end.size()) < 0) Die("no write");
  std::vector<std::string> lines;
  while (true) {
    std::string line = NextLine();
    if (line == kEnd) return lines;
    if (Contains(line, text)) lines.push_back(std::move(line));
  }
}

std::string StderrLines::NextLine() {
  size_t length;
  while ((length = unread_.find('\n')) == std::string::npos) {
    char buffer[4096];
    const ssize_t size = read(ends_[0], buffer, sizeof(buffer));
    if (size > 0) unread_.append(buffer, static_cast<size_t>(size));
  }
  std::string line = unread_.substr(0, length);
  unread_.erase(0, length + 1);
  // For whoever looks at the output of a test that failed.
  const std::string shown = line + "\n";
  if (write(former_, shown.data(), shown.size()) < 0) Die("no write");
  return line;
}

}  // namespace foxtive::test
