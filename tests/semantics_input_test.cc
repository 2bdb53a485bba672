// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S20: bad input is refused with the field and the value, and changes nothing.

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kTick = absl::Nanoseconds(1);
constexpr absl::Duration kSecond = absl::Seconds(1);

void ExpectInvalid(const absl::Status& status, const std::string& what) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(what));
}

// A good task, made bad (or not) by `change`.
TaskSpec Changed(const std::function<void(TaskSpec&)>& change) {
  TaskSpec spec = Spec("task", [] {});
  change(spec);
  return spec;
}

// All ways in refuse the task, say `what`, and leave the Supervisor as it was.
void ExpectRefused(const std::string& what, const std::function<void(TaskSpec&)>& change) {
  SCOPED_TRACE(what);
  auto supervisor = MakeSupervisor();
  ExpectInvalid(supervisor->Submit(Changed(change)).status(), what);
  ExpectInvalid(supervisor->Register(Changed(change)).status(), what);
  EXPECT_THAT(supervisor->ListTasks(), IsEmpty());
  EXPECT_EQ(supervisor->task_count(), 0u);
  AwaitResult(Submit(*supervisor, Spec("task", [] {})));
  AwaitResult(Submit(*supervisor, Spec("good", [] {})));
}

// The step before the limit: the task is taken, and ends.
void ExpectTaken(const std::function<void(TaskSpec&)>& change) {
  auto supervisor = MakeSupervisor();
  const absl::StatusOr<TaskHandle> handle = supervisor->Submit(Changed(change));
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_EQ(AwaitResult(*handle).final_status, SupervisionStatus::kCompletedNormally);
}

void ExpectBackoffRefused(const std::string& what, const BackoffStrategy& backoff) {
  ExpectRefused(what, [&](TaskSpec& spec) { spec.backoff = backoff; });
}

void ExpectBackoffTaken(const BackoffStrategy& backoff) {
  ExpectTaken([&](TaskSpec& spec) { spec.backoff = backoff; });
}

TEST(Semantics, S20_AnEmptyNameIsRefused) {
  ExpectRefused("name: ''", [](TaskSpec& spec) { spec.name = ""; });
  ExpectTaken([](TaskSpec& spec) { spec.name = "x"; });
  ExpectTaken([](TaskSpec& spec) { spec.name = std::string(10000, 'x'); });
}

TEST(Semantics, S20_AnEmptyRunIsRefused) {
  ExpectRefused("run", [](TaskSpec& spec) { spec.run = nullptr; });
  ExpectRefused("run", [](TaskSpec& spec) { spec.run = RunFunction(); });
  ExpectRefused("run", [](TaskSpec& spec) { spec.run = std::function<void()>(); });
  ExpectRefused("run", [](TaskSpec& spec) {
    spec.run = static_cast<absl::Status (*)(std::stop_token)>(nullptr);
  });
}

TEST(Semantics, S20_FewerThanOneAttemptAreRefused) {
  ExpectRefused("restart_policy.max_attempts: 0",
                [](TaskSpec& spec) { spec.restart_policy = RestartPolicy::MaxAttempts(0); });
  ExpectRefused("restart_policy.max_attempts: -3",
                [](TaskSpec& spec) { spec.restart_policy = RestartPolicy::MaxAttempts(-3); });
  ExpectTaken([](TaskSpec& spec) { spec.restart_policy = RestartPolicy::MaxAttempts(1); });
}

TEST(Semantics, S20_ANegativeStableAfterIsRefused) {
  ExpectRefused("stable_after: -1s", [](TaskSpec& spec) { spec.stable_after = -kSecond; });
  ExpectRefused("stable_after: -1ns", [](TaskSpec& spec) { spec.stable_after = -kTick; });
  ExpectTaken([](TaskSpec& spec) { spec.stable_after = absl::ZeroDuration(); });
  ExpectTaken([](TaskSpec& spec) { spec.stable_after = absl::InfiniteDuration(); });
}

TEST(Semantics, S20_ANegativeOrInfiniteInitialDelayIsRefused) {
  ExpectRefused("initial_delay: -1ns", [](TaskSpec& spec) { spec.initial_delay = -kTick; });
  ExpectRefused("initial_delay: inf",
                [](TaskSpec& spec) { spec.initial_delay = absl::InfiniteDuration(); });
  ExpectRefused("initial_delay: -inf",
                [](TaskSpec& spec) { spec.initial_delay = -absl::InfiniteDuration(); });
  ExpectTaken([](TaskSpec& spec) { spec.initial_delay = kTick; });
}

TEST(Semantics, S20_WhatIsNoErrorCanNotBePermanent) {
  ExpectRefused("permanent_errors: 0",
                [](TaskSpec& spec) { spec.permanent_errors = {absl::StatusCode::kOk}; });
  ExpectRefused("permanent_errors: 17", [](TaskSpec& spec) {
    spec.permanent_errors = {absl::StatusCode::kInternal, static_cast<absl::StatusCode>(17)};
  });
  ExpectRefused("permanent_errors: -1", [](TaskSpec& spec) {
    spec.permanent_errors = {static_cast<absl::StatusCode>(-1)};
  });
  ExpectTaken([](TaskSpec& spec) {
    spec.permanent_errors = {absl::StatusCode::kCancelled, absl::StatusCode::kUnauthenticated};
  });
}

TEST(Semantics, S20_ANegativeStopTimeoutIsRefused) {
  ExpectRefused("stop_timeout: -1s", [](TaskSpec& spec) { spec.stop_timeout = -kSecond; });
  ExpectRefused("stop_timeout: -1ns", [](TaskSpec& spec) { spec.stop_timeout = -kTick; });
  ExpectTaken([](TaskSpec& spec) { spec.stop_timeout = absl::ZeroDuration(); });
  ExpectTaken([](TaskSpec& spec) { spec.stop_timeout = absl::InfiniteDuration(); });
}

TEST(Semantics, S20_BadConstantDelaysAreRefused) {
  ExpectBackoffRefused("backoff.delay: -1ns", BackoffStrategy::Constant(-kTick));
  ExpectBackoffRefused("backoff.delay: inf", BackoffStrategy::Constant(absl::InfiniteDuration()));
  ExpectBackoffRefused("backoff.delay: -inf", BackoffStrategy::Constant(-absl::InfiniteDuration()));
  ExpectBackoffTaken(BackoffStrategy::Constant(absl::ZeroDuration()));
}

TEST(Semantics, S20_BadExponentialDelaysAreRefused) {
  ExpectBackoffRefused("backoff.initial: -1ns", BackoffStrategy::Exponential(-kTick, kSecond));
  ExpectBackoffRefused("backoff.initial: inf",
                       BackoffStrategy::Exponential(absl::InfiniteDuration(), kSecond));
  ExpectBackoffRefused("backoff.max: inf",
                       BackoffStrategy::Exponential(kSecond, absl::InfiniteDuration()));
  ExpectBackoffTaken(BackoffStrategy::Exponential(absl::ZeroDuration(), absl::ZeroDuration()));
}

TEST(Semantics, S20_AnInitialDelayAboveTheLongestIsRefused) {
  const std::string what = "backoff.initial: 1.000000001s";
  ExpectBackoffRefused(what, BackoffStrategy::Exponential(kSecond + kTick, kSecond));
  ExpectBackoffRefused(what, BackoffStrategy::Linear(kSecond + kTick, kTick, kSecond));
  ExpectBackoffRefused(what, BackoffStrategy::Fibonacci(kSecond + kTick, kSecond));
  ExpectBackoffTaken(BackoffStrategy::Exponential(kSecond, kSecond));
  ExpectBackoffTaken(BackoffStrategy::Linear(kSecond, kTick, kSecond));
  ExpectBackoffTaken(BackoffStrategy::Fibonacci(kSecond, kSecond));
}

TEST(Semantics, S20_AMultiplierBelowOneIsRefused) {
  const auto with = [](double multiplier) {
    return BackoffStrategy::Exponential(kSecond, absl::Minutes(1), multiplier);
  };
  ExpectBackoffRefused("backoff.multiplier: 0.5", with(0.5));
  ExpectBackoffRefused("backoff.multiplier: 0.99999", with(std::nextafter(1, 0)));
  ExpectBackoffRefused("backoff.multiplier: -2", with(-2));
  ExpectBackoffRefused("backoff.multiplier: ", with(std::nan("")));
  ExpectBackoffTaken(with(1));
}

TEST(Semantics, S20_BadIncrementsAreRefused) {
  ExpectBackoffRefused("backoff.increment: -1ns",
                       BackoffStrategy::Linear(kSecond, -kTick, absl::Minutes(1)));
  ExpectBackoffRefused(
      "backoff.increment: inf",
      BackoffStrategy::Linear(kSecond, absl::InfiniteDuration(), absl::Minutes(1)));
  ExpectBackoffTaken(BackoffStrategy::Linear(kSecond, absl::ZeroDuration(), absl::Minutes(1)));
}

TEST(Semantics, S20_AJitterOutsideZeroToOneIsRefused) {
  const auto with = [](double jitter) { return BackoffStrategy::Constant({}).WithJitter(jitter); };
  ExpectBackoffRefused("backoff.jitter: 1.5", with(1.5));
  ExpectBackoffRefused("backoff.jitter: 1.0000", with(std::nextafter(1, 2)));
  ExpectBackoffRefused("backoff.jitter: -0.1", with(-0.1));
  ExpectBackoffRefused("backoff.jitter: ", with(std::nan("")));
  ExpectBackoffTaken(with(0));
  ExpectBackoffTaken(with(1));
}

TEST(Semantics, S20_ACustomStrategyWithoutAFunctionIsRefused) {
  ExpectBackoffRefused("backoff.", BackoffStrategy::Custom(nullptr));
}

TEST(Semantics, S20_BadOptionsAreRefused) {
  const auto create = [](const std::function<void(SupervisorOptions&)>& change) {
    SupervisorOptions options = SupervisorOptions{};
    change(options);
    return Supervisor::Create(std::move(options)).status();
  };
  ExpectInvalid(create([](auto& options) { options.max_concurrency = 0; }), "max_concurrency: 0");
  ExpectInvalid(create([](auto& options) { options.max_concurrency = -1; }), "max_concurrency: -1");
  EXPECT_TRUE(create([](auto& options) { options.max_concurrency = 1; }).ok());
  EXPECT_TRUE(create([](auto& options) {
                options.max_concurrency = std::numeric_limits<int>::max();
              }).ok());
  ExpectInvalid(create([](auto& options) { options.shutdown_timeout = -kTick; }),
                "shutdown_timeout: -1ns");
  EXPECT_TRUE(create([](auto& options) { options.shutdown_timeout = {}; }).ok());
  EXPECT_TRUE(
      create([](auto& options) { options.shutdown_timeout = absl::InfiniteDuration(); }).ok());
}

TEST(Semantics, S20_WhatARefusedTaskCapturedIsDestroyed) {
  Witness witness;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("", [state = witness.Take()] {});
  ExpectInvalid(supervisor->Submit(std::move(spec)).status(), "name");
  spec = TaskSpec();
  EXPECT_TRUE(witness.IsDestroyed());
}

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
