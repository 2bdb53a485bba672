// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A child that is merely forked, with one thread and whatever was locked at that moment.
//
// Its stdout and stderr are read by the parent. It must use nothing of gtest, whose locks another
// thread may have had.
//
// Lifetime: the child has ended, and is waited for, when Await returns.
// Thread safety: one ForkedChild at a time in a process, or one waits for what the other has left
// open. Blocking: Await, until the child, and whatever it has forked, has ended; they are killed
// after kChildLimit. Errors: what cannot be had aborts the test.
//
//   EXPECT_THAT(RunForked([&] { return !supervisor->Shutdown().ok(); }), ForkedChildPassed());

#ifndef FOXTIVE_TESTS_SUPPORT_FORKED_CHILD_H_
#define FOXTIVE_TESTS_SUPPORT_FORKED_CHILD_H_

#include <sys/types.h>
#include <sys/wait.h>

#include <functional>

#include "gmock/gmock.h"
#include "tests/support/child_process.h"

namespace foxtive::test {

class ForkedChild {
 public:
  // Returns twice.
  ForkedChild();

  ForkedChild(const ForkedChild&) = delete;
  ForkedChild& operator=(const ForkedChild&) = delete;

  bool is_here() const { return pid_ == 0; }

  // REQUIRES: not here.
  ChildResult Await() const;

 private:
  pid_t pid_;
  int output_ = -1;
};

// The child calls `body` and leaves by exit(): with 0 if the answer was true, else with 1.
ChildResult RunForked(const std::function<bool()>& body);

// In a child, for its parent to read: collects what is wrong.
class Findings {
 public:
  void Expect(bool good, const char* what);
  bool none() const { return none_; }

 private:
  bool none_ = true;
};

MATCHER_P(ForkedChildExited, code, "is a child that ended by itself with this code") {
  return !arg.timed_out && WIFEXITED(arg.wait_status) && WEXITSTATUS(arg.wait_status) == code;
}

inline auto ForkedChildPassed() { return ForkedChildExited(0); }

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_FORKED_CHILD_H_
