// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S14 and S15: what an abandoned task gives back at once (its name, its count, its slot, as many
// slots as max_concurrency), what its late return still calls, and how all of that is reported.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class OverdueTest : public ::testing::Test {
 protected:
  void Start(int max_concurrency) {
    supervisor_ = MakeSupervisor({.max_concurrency = max_concurrency, .clock = clock_});
  }

  // A task that is abandoned as soon as it is stopped, and is stuck already.
  TaskHandle SubmitStuck(std::string name, StuckWorker& worker) {
    TaskSpec spec = Spec(std::move(name), worker.Run());
    spec.stop_timeout = absl::ZeroDuration();
    TaskHandle handle = Submit(*supervisor_, std::move(spec));
    worker.AwaitEntered();
    return handle;
  }

  void Abandon(const TaskHandle& handle) {
    EXPECT_TRUE(handle.RequestStop());
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(OverdueTest, S15_AnAbandonedTaskGivesItsNameAndItsCountBack) {
  Start(4);
  StuckWorker worker;
  const TaskHandle stuck = SubmitStuck("same-name", worker);
  EXPECT_EQ(supervisor_->task_count(), 1u);
  Abandon(stuck);
  EXPECT_EQ(stuck.state(), TaskState::kOverdue);
  EXPECT_EQ(supervisor_->task_count(), 0u);
  EXPECT_TRUE(supervisor_->ListTasks().empty());
  EXPECT_EQ(supervisor_->Find("same-name").status().code(), absl::StatusCode::kNotFound);
  const TaskHandle next = Submit(*supervisor_, Spec("same-name", [](TaskContext& context) {
    context.SleepFor(absl::InfiniteDuration());
  }));
  EXPECT_FALSE(next == stuck);
  EXPECT_TRUE(supervisor_->Find("same-name").value() == next);
  worker.Release();
  AwaitState(stuck, TaskState::kFinished);
  EXPECT_TRUE(supervisor_->Find("same-name").value() == next);
  EXPECT_EQ(supervisor_->task_count(), 1u);
}

TEST_F(OverdueTest, S15_AnAbandonedTaskGivesItsSlotBack) {
  Start(1);
  StuckWorker worker;
  const TaskHandle stuck = SubmitStuck("stuck", worker);
  const TaskHandle waiting = Submit(*supervisor_, Spec("waiting", [] {}));
  EXPECT_EQ(waiting.state(), TaskState::kQueued);
  Abandon(stuck);
  EXPECT_EQ(AwaitResult(waiting).final_status, SupervisionStatus::kCompletedNormally);
}

// One slot, one replacement: the next one that hangs keeps the tasks behind it, until the first
// one returns and its replacement is free for the second.
TEST_F(OverdueTest, S15_NoMoreAbandonedTasksThanMaxConcurrencyAreReplaced) {
  Start(1);
  StuckWorker first_worker;
  StuckWorker second_worker;
  const TaskHandle first = SubmitStuck("first", first_worker);
  Abandon(first);
  const TaskHandle second = SubmitStuck("second", second_worker);
  Abandon(second);
  const TaskHandle waiting = Submit(*supervisor_, Spec("waiting", [] {}));
  for (int i = 0; i < 3; ++i) {
    const TaskHandle probe = Register(*supervisor_, Spec("probe", [] {}));  // needs no lane
    EXPECT_TRUE(probe.RequestStop());
    AwaitResult(probe);
  }
  EXPECT_EQ(waiting.state(), TaskState::kQueued);
  first_worker.Release();
  EXPECT_EQ(AwaitResult(waiting).final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(second.state(), TaskState::kOverdue);
}

TEST_F(OverdueTest, S15_ALaneThatReturnsLateDoesNotExceedMaxConcurrency) {
  Start(1);
  StuckWorker stuck_worker;
  StuckWorker second_worker;
  const TaskHandle stuck = SubmitStuck("stuck", stuck_worker);
  Abandon(stuck);
  const TaskHandle second = Submit(*supervisor_, Spec("second", second_worker.Run()));
  second_worker.AwaitEntered();
  const TaskHandle third = Submit(*supervisor_, Spec("third", [] {}));
  stuck_worker.Release();
  AwaitState(stuck, TaskState::kFinished);
  for (int i = 0; i < 3; ++i) {
    const TaskHandle probe = Register(*supervisor_, Spec("probe", [] {}));
    EXPECT_TRUE(probe.RequestStop());
    AwaitResult(probe);
  }
  EXPECT_EQ(third.state(), TaskState::kQueued);
  second_worker.Release();
  AwaitResult(third);
}

// What is logged by hooks outlives the test if a worker does.
TaskHooks SharedLoggingHooks(const std::shared_ptr<EventLog>& log) {
  TaskHooks hooks;
  hooks.on_error = [log](const absl::Status& error, int64_t attempt) {
    log->Add(absl::StrCat("on_error ", attempt, " ", std::string(error.message())));
  };
  hooks.on_exception = [log](const std::exception_ptr&, std::string_view what, int64_t attempt) {
    log->Add(absl::StrCat("on_exception ", attempt, " ", std::string(what)));
  };
  hooks.should_restart = [log](int64_t, const absl::Status&) {
    log->Add("should_restart");
    return true;
  };
  hooks.on_restart = [log](int64_t) { log->Add("on_restart"); };
  hooks.on_shutdown = [log] { log->Add("on_shutdown"); };
  hooks.cleanup = [log] { log->Add("cleanup"); };
  return hooks;
}

class LateReturn : public OverdueTest, public ::testing::WithParamInterface<bool> {};

// With the Supervisor, and after its end.
TEST_P(LateReturn, S15_AFailureThatComesLateIsToldToItsHooksAndFollowedByCleanup) {
  Start(4);
  for (const bool throws : {false, true}) {
    auto log = std::make_shared<EventLog>();
    StuckWorker worker;
    TaskSpec spec = Spec(absl::StrCat("stuck-", throws), [block = worker.Run(), throws] {
      block();
      if (throws) throw std::runtime_error("late");
      return absl::UnavailableError("late");
    });
    spec.stop_timeout = absl::ZeroDuration();
    spec.hooks = SharedLoggingHooks(log);
    if (supervisor_ == nullptr) Start(4);
    const TaskHandle handle = Submit(*supervisor_, std::move(spec));
    worker.AwaitEntered();
    Abandon(handle);
    log->AwaitEntry("on_shutdown", [](const std::string& entry) { return entry == "on_shutdown"; });
    if (GetParam()) supervisor_.reset();
    worker.Release();
    AwaitState(handle, TaskState::kFinished);
    EXPECT_THAT(
        log->Entries(),
        ElementsAre("on_shutdown", throws ? "on_exception 1 late" : "on_error 1 late", "cleanup"));
    const SupervisionResult result = AwaitResult(handle);
    EXPECT_EQ(result.final_status, SupervisionStatus::kAbandoned);
    EXPECT_TRUE(result.last_error.ok()) << "what came late is not in the result";
  }
}

INSTANTIATE_TEST_SUITE_P(Semantics, LateReturn, ::testing::Bool(),
                         [](const ::testing::TestParamInfo<bool>& gone) {
                           return gone.param ? "AfterTheSupervisor" : "WithTheSupervisor";
                         });

// Beside a `run` that has returned: the task is not over before its hook is.
TEST_F(OverdueTest, S15_OnShutdownThatHangsIsAbandonedAndFollowedByCleanupLate) {
  Start(1);
  auto log = std::make_shared<EventLog>();
  StuckWorker hook;
  TaskSpec spec =
      Spec("task", [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
  spec.stop_timeout = absl::Seconds(2);
  spec.hooks = SharedLoggingHooks(log);
  spec.hooks.on_shutdown = hook.Run();
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  AwaitRunning(handle);
  EXPECT_TRUE(handle.RequestStop());
  hook.AwaitEntered();
  clock_->AwaitDeadline(clock_->Now() + absl::Seconds(2));
  clock_->Advance(absl::Seconds(2) - absl::Nanoseconds(1));
  AwaitResult(Submit(*supervisor_, Spec("other", [] {})));  // the lane is free
  EXPECT_EQ(handle.state(), TaskState::kStopping);
  clock_->Advance(absl::Nanoseconds(1));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  EXPECT_EQ(log->size(), 0u);
  hook.Release();
  AwaitState(handle, TaskState::kFinished);
  EXPECT_THAT(log->Entries(), ElementsAre("cleanup"));
}

// A verdict of its own, and a cleanup that hangs: only a shutdown can end the wait for it.
TEST_F(OverdueTest, S14_CleanupThatHangsByItselfIsAbandonedByAShutdownAndNamed) {
  Start(1);
  StuckWorker cleanup;
  TaskSpec spec = Spec("tidy", [] {});
  spec.hooks.cleanup = cleanup.Run();
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  cleanup.AwaitEntered();
  EXPECT_EQ(handle.state(), TaskState::kStopping);
  EXPECT_FALSE(handle.RequestStop());
  clock_->Advance(absl::Hours(1));
  auto shutdown =
      std::async(std::launch::async, [&] { return supervisor_->Shutdown(absl::Seconds(3)); });
  clock_->AwaitDeadline(clock_->Now() + absl::Seconds(3));
  clock_->Advance(absl::Seconds(3));
  const absl::Status status = Await(shutdown, "Shutdown");
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'tidy' (asked to stop 3s ago)"));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
}

// Whoever abandoned them, and for as long as they have not returned.
TEST_F(OverdueTest, S14_EveryShutdownNamesEachWorkerThatHasNotReturned) {
  Start(8);
  StuckWorker workers[3];
  std::vector<TaskHandle> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(SubmitStuck(absl::StrCat("w", i), workers[i]));
  Abandon(handles[0]);  // by its own stop_timeout
  clock_->Advance(absl::Seconds(5));
  for (int returned = 0; returned < 3; ++returned) {
    const absl::Status status = supervisor_->Shutdown(absl::ZeroDuration());
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
    const std::string message(status.message());
    for (int i = 0; i < 3; ++i) {
      const std::string name = absl::StrCat("'w", i, "'");
      if (i < returned) {
        EXPECT_THAT(message, Not(HasSubstr(name)));
      } else {
        EXPECT_THAT(message, HasSubstr(name));
      }
    }
    if (returned == 0) {
      EXPECT_THAT(message, HasSubstr("'w0' (asked to stop 5s ago)"));
    }
    workers[returned].Release();
    AwaitState(handles[static_cast<size_t>(returned)], TaskState::kFinished);
  }
  EXPECT_TRUE(supervisor_->Shutdown(absl::ZeroDuration()).ok());
}

// Each of several by its own deadline, or when all is over.
TEST_F(OverdueTest, S14_TheEarliestOfManyShutdownsAbandonsAndNoneReturnsBefore) {
  Start(2);
  StuckWorker worker;
  TaskSpec spec = Spec("stuck", worker.Run());
  spec.stop_timeout = absl::InfiniteDuration();
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  worker.AwaitEntered();
  std::vector<std::future<absl::Status>> shutdowns;
  for (int seconds : {9, 5, 7}) {
    shutdowns.push_back(std::async(std::launch::async, [this, seconds] {
      return supervisor_->Shutdown(absl::Seconds(seconds));
    }));
    clock_->AwaitDeadline(clock_->Now() + absl::Seconds(seconds));
  }
  clock_->Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  EXPECT_FALSE(handle.TryResult().has_value());
  for (auto& shutdown : shutdowns) {
    EXPECT_EQ(shutdown.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  }
  clock_->Advance(absl::Nanoseconds(1));
  EXPECT_EQ(AwaitResult(handle).elapsed, absl::Seconds(5));
  for (auto& shutdown : shutdowns) {
    EXPECT_THAT(std::string(Await(shutdown, "Shutdown").message()), HasSubstr("'stuck'"));
  }
}

}  // namespace
}  // namespace foxtive::test
