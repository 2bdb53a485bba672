// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// exit() by a worker, which is on a thread of oneTBB, while others are stuck.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

// Nobody writes: whoever reads from it has the lock of the stream for ever.
std::FILE* SilentInput() {
  std::array<int, 2> ends;
  Require(pipe(ends.data()) == 0, "pipe");
  return fdopen(ends[0], "r");
}

TEST(ExitOnLaneProcess, DISABLED_WhileAnotherReads) {
  static Supervisor& supervisor = *MakeSupervisor().release();
  static std::FILE* const input = SilentInput();
  std::fputs("written before", stdout);
  const TaskHandle reader = Submit(supervisor, Spec("reads", [] { std::fgetc(input); }));
  AwaitState(reader, TaskState::kRunning);
  while (ftrylockfile(input) == 0) funlockfile(input);
  Submit(supervisor, Spec("exits", [] { exit(7); })).future().wait();
}

TEST(ExitOnLane, S15_TheProcessExitsWhileAWorkerHasTheLockOfAStream) {
  const ChildResult child = RunInChild("ExitOnLaneProcess.DISABLED_WhileAnotherReads");
  EXPECT_FALSE(child.timed_out);
  EXPECT_TRUE(WIFEXITED(child.wait_status) && WEXITSTATUS(child.wait_status) == 7) << child;
  EXPECT_THAT(child.output, ::testing::HasSubstr("written before"));
}

}  // namespace
}  // namespace foxtive::test
