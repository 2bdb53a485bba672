// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A test case in a process of its own: for what a process can do only once (exit, choose its oneTBB
// limits), and for what would spoil the tests after it.
//
// The process is this test binary again, started anew and not merely forked: oneTBB does not work
// in a child of fork(). It runs one test whose name begins with DISABLED_, which nothing else runs.
//
// Lifetime: the process has ended and its output has been read when RunInChild returns.
// Thread safety: RunInChild may be called from any thread.
// Blocking: until the child has ended; it is killed after kChildLimit.
// Errors: a child that cannot be started aborts the test.
//
//   TEST(Semantics, DISABLED_ExitWhileStuck) { ... }
//   TEST(Semantics, S15_ProcessExitsWhileAWorkerIsStuck) {
//     EXPECT_THAT(RunInChild("Semantics.DISABLED_ExitWhileStuck"), ChildPassed());
//   }

#ifndef FOXTIVE_TESTS_SUPPORT_CHILD_PROCESS_H_
#define FOXTIVE_TESTS_SUPPORT_CHILD_PROCESS_H_

#include <sys/wait.h>

#include <chrono>
#include <ostream>
#include <string>

#include "gmock/gmock.h"

namespace foxtive::test {

// No child needs it but one that hangs; below the limit of a small test.
inline constexpr std::chrono::seconds kChildLimit{120};

struct ChildResult {
  bool timed_out = false;  // killed after kChildLimit
  int wait_status = 0;     // as from waitpid()
  std::string output;      // stdout and stderr
};

// Runs the test `name` ("Suite.DISABLED_Name") of this binary in a process of its own.
ChildResult RunInChild(const std::string& name);

std::ostream& operator<<(std::ostream& out, const ChildResult& result);

// Aborts the test, with errno, unless `condition`.
void Require(bool condition, const char* what);

// Reads until the other end is closed. False: not within kChildLimit.
bool ReadAll(int input, std::string& output);

// The child has run exactly one test, which passed, and has left main() and exited with 0.
MATCHER(ChildPassed, "is a child process whose test passed") {
  return !arg.timed_out && WIFEXITED(arg.wait_status) && WEXITSTATUS(arg.wait_status) == 0 &&
         arg.output.find("[  PASSED  ] 1 test.") != std::string::npos;
}

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_CHILD_PROCESS_H_
