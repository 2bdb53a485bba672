// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/log_shipper/snapshot.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "examples/log_shipper/socket.h"

namespace log_shipper {
namespace {

// How much of a line an error quotes.
constexpr size_t kMaxQuoted = 48;

}  // namespace

absl::StatusOr<Snapshot> Snapshot::Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return SystemError(absl::StrCat("open ", path));
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return SystemError(absl::StrCat("read ", path));
  return Snapshot(std::move(text));
}

int64_t Snapshot::LinesBefore(int64_t offset) const {
  return std::count(text_.begin(), text_.begin() + offset, '\n');
}

absl::string_view Snapshot::Bytes(int64_t begin, int64_t end) const {
  return absl::string_view(text_).substr(static_cast<size_t>(begin),
                                         static_cast<size_t>(end - begin));
}

absl::string_view Snapshot::LineAt(int64_t offset) const {
  const absl::string_view rest = Bytes(offset, size());
  const size_t newline = rest.find('\n');
  return newline == absl::string_view::npos ? rest : rest.substr(0, newline + 1);
}

void ParseLine(absl::string_view line) {
  if (line.find('\0') == absl::string_view::npos) return;
  throw std::runtime_error(
      absl::StrCat("this line is no text: \"", absl::CHexEscape(line.substr(0, kMaxQuoted)), "\""));
}

}  // namespace log_shipper
