// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S20: names in use, calls after a shutdown or once more, and what a Custom strategy may answer.
// What can be wrong with a task or with options: semantics_input_table_test.cc.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::Duration kTick = absl::Nanoseconds(1);

// Submitting, registering, and registering among others a second task of this name is refused.
void ExpectNameInUse(Supervisor& supervisor, const std::string& name) {
  const auto expect_in_use = [&](const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("name"), HasSubstr(name)));
  };
  const std::vector<TaskInfo> before = supervisor.ListTasks();
  expect_in_use(supervisor.Submit(Spec(name, [] {})).status());
  expect_in_use(supervisor.Register(Spec(name, [] {})).status());
  EXPECT_THAT(supervisor.ListTasks(), SizeIs(before.size()));
}

TEST(Semantics, S20_ANameInUseIsRefused) {
  Notification running, go_on;
  auto supervisor = MakeSupervisor();
  TaskHandle handle = Submit(*supervisor, Spec("orders", [&] {
    running.Notify();
    go_on.Await("the end of the test");
  }));
  running.Await("run");
  ExpectNameInUse(*supervisor, "orders");
  go_on.Notify();
  EXPECT_EQ(AwaitResult(handle).total_attempts, 1);
  AwaitResult(Submit(*supervisor, Spec("orders", [] {})));
}

TEST(Semantics, S20_ANameInUseByATaskNotYetStartedIsRefused) {
  auto supervisor = MakeSupervisor();
  TaskHandle handle = Register(*supervisor, Spec("orders", [] {}));
  ExpectNameInUse(*supervisor, "orders");
  ASSERT_TRUE(supervisor->StartAll().ok());
  AwaitResult(handle);
  AwaitResult(Submit(*supervisor, Spec("orders", [] {})));
}

TEST(Semantics, S20_TwoSupervisorsMayUseOneName) {
  auto first = MakeSupervisor();
  auto second = MakeSupervisor();
  TaskHandle handle = Register(*first, Spec("task", [] {}));
  AwaitResult(Submit(*second, Spec("task", [] {})));
  EXPECT_EQ(handle.state(), TaskState::kRegistered);
}

TEST(Semantics, S20_CallsAfterShutdownAreRefused) {
  auto supervisor = MakeSupervisor();
  Register(*supervisor, Spec("before", [] {}));
  ASSERT_TRUE(supervisor->Shutdown().ok());
  for (const absl::Status& status :
       {supervisor->Submit(Spec("a", [] {})).status(),
        supervisor->Register(Spec("b", [] {})).status(), supervisor->StartAll()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("shut"));
  }
  EXPECT_EQ(supervisor->Find("a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(supervisor->task_count(), 0u);
  EXPECT_EQ(supervisor->Shutdown(), absl::OkStatus());
}

TEST(Semantics, S20_CallsAfterRequestShutdownAreRefused) {
  auto supervisor = MakeSupervisor();
  supervisor->RequestShutdown();
  EXPECT_EQ(supervisor->Submit(Spec("a", [] {})).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(supervisor->StartAll().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Semantics, S20_ASecondStartAllStartsWhatWasRegisteredSince) {
  auto supervisor = MakeSupervisor();
  EXPECT_TRUE(supervisor->StartAll().ok());
  TaskHandle first = Register(*supervisor, Spec("first", [] {}));
  EXPECT_TRUE(supervisor->StartAll().ok());
  AwaitResult(first);
  TaskHandle second = Register(*supervisor, Spec("second", [] {}));
  Settle(*supervisor);
  EXPECT_EQ(second.state(), TaskState::kRegistered);
  EXPECT_TRUE(supervisor->StartAll().ok());
  AwaitResult(second);
  EXPECT_TRUE(supervisor->StartAll().ok());
  EXPECT_EQ(first.attempts(), 1);
  EXPECT_EQ(second.attempts(), 1);
}

// A task that fails until `good_attempt`, under a Custom strategy, on a manual clock.
struct CustomRig {
  explicit CustomRig(std::function<absl::Duration(int64_t)> delay, int64_t good_attempt = 2) {
    supervisor = MakeSupervisor(OptionsWith(clock));
    TaskSpec spec = Spec("task", [good_attempt](TaskContext& context) {
      return context.attempt() < good_attempt ? absl::UnavailableError("") : absl::OkStatus();
    });
    spec.backoff = BackoffStrategy::Custom(std::move(delay));
    handle.emplace(Submit(*supervisor, std::move(spec)));
  }

  std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor;
  std::optional<TaskHandle> handle;
};

TEST(Semantics, S20_ACustomDelayBelowZeroCountsAsZero) {
  for (absl::Duration delay : {-kTick, -absl::Hours(1), -absl::InfiniteDuration()}) {
    CustomRig rig([delay](int64_t) { return delay; }, 5);
    const SupervisionResult result = AwaitResult(*rig.handle);
    EXPECT_EQ(result.total_attempts, 5);
    EXPECT_EQ(result.elapsed, absl::ZeroDuration());
  }
}

TEST(Semantics, S20_AnInfiniteCustomDelayWaitsForTheStop) {
  CustomRig rig([](int64_t) { return absl::InfiniteDuration(); });
  EXPECT_EQ(AwaitBackoff(*rig.handle, 1), absl::InfiniteDuration());
  rig.clock->Advance(absl::Hours(24 * 365 * 100));
  Settle(*rig.supervisor);
  EXPECT_EQ(rig.handle->info().next_attempt_in, absl::InfiniteDuration());
  EXPECT_TRUE(rig.handle->RequestStop());
  EXPECT_EQ(AwaitResult(*rig.handle).total_attempts, 1);
}

TEST(Semantics, S20_ACustomStrategyThatThrowsLeavesItToTheDefault) {
  CustomRig rig([](int64_t) -> absl::Duration { throw std::runtime_error("no idea"); }, 3);
  for (int64_t attempt : {1, 2}) {
    const absl::Duration delay = BackoffStrategy::Exponential().Delay(attempt);
    EXPECT_EQ(AwaitBackoff(*rig.handle, attempt), delay);
    EXPECT_EQ(rig.handle->info().hook_failures, attempt);
    rig.clock->Advance(delay);
  }
  EXPECT_EQ(AwaitResult(*rig.handle).total_attempts, 3);
}

TEST(Semantics, S20_ACustomStrategyIsAskedWithTheNumberOfFailures) {
  Recorder<int64_t> asked;
  CustomRig rig(
      [&](int64_t failures) {
        asked.Add(failures);
        return absl::ZeroDuration();
      },
      5);
  AwaitResult(*rig.handle);
  EXPECT_THAT(asked.Entries(), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace foxtive::test
