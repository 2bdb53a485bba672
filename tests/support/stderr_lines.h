// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What this process writes on stderr, to be waited for: for tests that run in a process of their
// own (child_process.h).
//
// Lifetime: stderr is what it was when this is destroyed. Thread safety: one reader; anybody may
// write. Blocking: AwaitLine, until there is such a line. A pipe holds 64 KiB that nobody has read;
// who writes more waits.

#ifndef FOXTIVE_TESTS_SUPPORT_STDERR_LINES_H_
#define FOXTIVE_TESTS_SUPPORT_STDERR_LINES_H_

#include <string>
#include <string_view>
#include <vector>

namespace foxtive::test {

class StderrLines {
 public:
  StderrLines();
  ~StderrLines();

  StderrLines(const StderrLines&) = delete;
  StderrLines& operator=(const StderrLines&) = delete;

  // The next line that contains `text`.
  std::string AwaitLine(std::string_view text);

  // All lines that contain `text` among those that were written before this call and that AwaitLine
  // has not passed.
  std::vector<std::string> MoreLines(std::string_view text);

 private:
  std::string NextLine();

  int former_;
  int ends_[2];
  std::string unread_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_STDERR_LINES_H_
