// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S20: names that are taken, what a refused one leaves alone, and what goes on after a shutdown.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

TEST(Semantics, S20_ANameOfAnyOtherCharactersIsTaken) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (const std::string& name :
       {std::string(" "), std::string("~ a b"), std::string("Ümläut ✓"), std::string(10000, 'x')}) {
    const TaskHandle handle = Submit(*supervisor, Spec(name, [] {}));
    EXPECT_EQ(handle.name(), name);
    EXPECT_EQ(AwaitResult(handle).task_name, name);
  }
}

// Refusing the second one does nothing to the first.
TEST(Semantics, S20_ARefusedNameDisturbsNotTheTaskThatHasIt) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  StuckWorker worker;
  const TaskHandle handle = Submit(*supervisor, Spec("task", worker.Run()));
  worker.AwaitEntered();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(supervisor->Submit(Spec("task", [] {})).status().code(),
              absl::StatusCode::kAlreadyExists);
  }
  EXPECT_TRUE(supervisor->Find("task").value() == handle);
  EXPECT_EQ(supervisor->task_count(), 1u);
  EXPECT_EQ(handle.state(), TaskState::kRunning);
  worker.Release();
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
}

TEST(Semantics, S20_AfterAShutdownWaitsListsAndHandlesGoOn) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle first = Register(*supervisor, Spec("first", [] {}));
  ASSERT_TRUE(supervisor->StartAll().ok());
  AwaitResult(first);
  const TaskHandle second = Register(*supervisor, Spec("second", [] {}));
  ASSERT_TRUE(supervisor->Shutdown().ok());
  EXPECT_EQ(supervisor->StartAll().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(supervisor->Find("second").value() == second);
  EXPECT_TRUE(supervisor->ListTasks().empty());
  const absl::StatusOr<SupervisionResult> any = supervisor->WaitAny();
  ASSERT_TRUE(any.ok()) << any.status();
  EXPECT_EQ(any->task_name, "first");
  EXPECT_EQ(supervisor->WaitAll().value().size(), 1u);
  EXPECT_EQ(supervisor->WaitAny().status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(second.Wait().value().final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(second.attempts(), 0);
  EXPECT_FALSE(second.RequestStop());
  EXPECT_TRUE(supervisor->Shutdown().ok());
}

}  // namespace
}  // namespace foxtive::test
