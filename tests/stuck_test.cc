// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Attempts that hang: heartbeat_timeout, run_timeout and what on_stuck does about them, on
// simulated time, to the nanosecond. stuck_threads_test.cc has what needs real threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "foxtive/testing.h"
#include "tests/support/dwell.h"

namespace foxtive {
namespace {

using foxtive::testing::EventRecorder;
using foxtive::testing::HasAttempts;
using foxtive::testing::HasCode;
using foxtive::testing::HasFinalStatus;
using foxtive::testing::RecordedEvent;
using foxtive::testing::SimulatedTime;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr absl::Duration kNano = absl::Nanoseconds(1);
constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr absl::Duration kStopTimeout = absl::Seconds(3);

class StuckTest : public ::testing::Test {
 protected:
  StuckTest() {
    supervisor_ = *Supervisor::Create(
        {.max_concurrency = 1, .listener = events_, .clock = time_.clock(), .seed = 1});
  }

  TaskSpec Spec(RunFunction run) {
    TaskSpec spec{.name = "task", .run = std::move(run)};
    spec.backoff = BackoffStrategy::Constant(absl::Seconds(1));
    spec.stop_timeout = kStopTimeout;
    return spec;
  }
  TaskSpec WithHeartbeat(OnStuck on_stuck, RunFunction run) {
    TaskSpec spec = Spec(std::move(run));
    spec.heartbeat_timeout = kTimeout;
    spec.on_stuck = on_stuck;
    return spec;
  }
  TaskHandle Submit(TaskSpec spec) { return *supervisor_->Submit(std::move(spec)); }

  // Sleeps on, deaf to any stop.
  void Hang(absl::Duration duration) { test::Dwell(*time_.clock(), duration); }

  // As lines, with the time at which each came.
  std::vector<std::string> Events(EventKind kind) const {
    std::vector<std::string> lines;
    for (const RecordedEvent& event : events_->events()) {
      if (event.kind != kind) continue;
      lines.push_back(absl::FormatDuration(event.uptime) + " " + event.text);
    }
    return lines;
  }

  // Of the workers, some of which are still there when the test is over.
  std::vector<std::string> log_;
  int inside_ = 0;

  SimulatedTime time_;
  const std::shared_ptr<EventRecorder> events_ = std::make_shared<EventRecorder>();
  std::unique_ptr<Supervisor> supervisor_;
};

// --- When.

TEST_F(StuckTest, AMissedHeartbeatIsToldAtItsTimeAndOnce) {
  const TaskHandle task = Submit(WithHeartbeat(
      OnStuck::kReport, [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); }));
  time_.AdvanceBy(kTimeout - kNano);
  EXPECT_THAT(Events(EventKind::kStuck), IsEmpty());
  EXPECT_EQ(task.info().stuck_for, absl::ZeroDuration());
  time_.AdvanceBy(kNano);
  EXPECT_THAT(Events(EventKind::kStuck),
              ElementsAre("10s task 'task' is stuck in attempt 1: DEADLINE_EXCEEDED: no heartbeat "
                          "for 10s; it goes on (OnStuck::kReport)"));
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_EQ(Events(EventKind::kStuck).size(), 1u);
  EXPECT_EQ(task.info().stuck_for, absl::Hours(1));
  EXPECT_THAT(ToString(task.info()), HasSubstr(", stuck for 1h; 1 attempt"));
  EXPECT_EQ(task.state(), TaskState::kRunning);
}

TEST_F(StuckTest, AHeartbeatInTimeIsEnough) {
  Submit(WithHeartbeat(OnStuck::kReport, [](TaskContext& context) {
    while (context.SleepFor(kTimeout - kNano)) context.Heartbeat();
  }));
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_THAT(events_->events(), IsEmpty());
}

TEST_F(StuckTest, EachSilenceIsTold) {
  const TaskHandle task = Submit(WithHeartbeat(OnStuck::kReport, [](TaskContext& context) {
    context.SleepFor(absl::Seconds(15));
    context.Heartbeat();
    context.SleepFor(absl::InfiniteDuration());
  }));
  time_.AdvanceBy(absl::Seconds(20));
  EXPECT_EQ(task.info().stuck_for, absl::ZeroDuration());
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_THAT(Events(EventKind::kStuck), ElementsAre(HasSubstr("10s task"), HasSubstr("25s task")));
}

TEST_F(StuckTest, ARunThatLastsTooLongIsToldOnceInAnAttempt) {
  TaskSpec spec = Spec([](TaskContext& context) {
    while (context.SleepFor(absl::Seconds(1))) context.Heartbeat();
  });
  spec.run_timeout = absl::Minutes(1);
  spec.heartbeat_timeout = kTimeout;
  Submit(std::move(spec));
  time_.AdvanceBy(absl::Minutes(1) - kNano);
  EXPECT_THAT(Events(EventKind::kStuck), IsEmpty());
  time_.AdvanceBy(kNano);
  EXPECT_THAT(Events(EventKind::kStuck),
              ElementsAre(HasSubstr("it has run for longer than its run_timeout, 1m; it goes on")));
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_EQ(Events(EventKind::kStuck).size(), 1u);
}

TEST_F(StuckTest, BothAreTold) {
  TaskSpec spec = Spec([](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
  spec.run_timeout = absl::Seconds(12);
  spec.heartbeat_timeout = kTimeout;
  Submit(std::move(spec));
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_THAT(Events(EventKind::kStuck),
              ElementsAre(AllOf(HasSubstr("10s task"), HasSubstr("heartbeat")),
                          AllOf(HasSubstr("12s task"), HasSubstr("run_timeout"))));
}

TEST_F(StuckTest, EachAttemptCountsAnew) {
  for (const absl::Duration delay : {absl::ZeroDuration(), absl::Seconds(1), kTimeout}) {
    TaskSpec spec = WithHeartbeat(OnStuck::kReport, [](TaskContext& context) -> absl::Status {
      context.SleepFor(kTimeout - kNano);
      return context.attempt() < 100 ? absl::UnavailableError("") : absl::OkStatus();
    });
    spec.run_timeout = kTimeout;
    spec.backoff = BackoffStrategy::Constant(delay);
    const TaskHandle task = Submit(std::move(spec));
    time_.AdvanceBy(absl::Hours(1));
    EXPECT_THAT(task.TryResult(), Optional(HasAttempts(100)));
  }
  EXPECT_THAT(Events(EventKind::kStuck), IsEmpty());
}

// The timer may be set for what came of the one before, which may be late.
TEST_F(StuckTest, TheNextAttemptIsWatchedInTime) {
  TaskSpec spec = Spec([](TaskContext& context) -> absl::Status {
    const bool first = context.attempt() == 1;
    context.SleepFor(first ? absl::Seconds(6) : absl::InfiniteDuration());
    return absl::UnavailableError("");
  });
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  spec.run_timeout = absl::Seconds(5);
  spec.heartbeat_timeout = absl::Minutes(1);
  Submit(std::move(spec));
  time_.AdvanceBy(absl::Seconds(11) - kNano);
  EXPECT_EQ(Events(EventKind::kStuck).size(), 1u);
  time_.AdvanceBy(kNano);
  EXPECT_THAT(Events(EventKind::kStuck), ElementsAre(HasSubstr("5s task"), HasSubstr("11s task")));
}

TEST_F(StuckTest, AfterOneThatStopsAtOnceTheNextAttemptIsWatchedInTime) {
  TaskSpec spec = WithHeartbeat(
      OnStuck::kRestart, [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  spec.stop_timeout = absl::Hours(1);
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(10 * kTimeout);
  EXPECT_EQ(task.attempts(), 11);
}

// Not while it waits for its delay, and not for what a hook takes.
TEST_F(StuckTest, OnlyTheRunCounts) {
  TaskSpec spec = WithHeartbeat(OnStuck::kReport, [] { return absl::UnavailableError(""); });
  spec.backoff = BackoffStrategy::Constant(absl::Minutes(1));
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  spec.hooks.on_error = [this](const absl::Status&, int64_t) { Hang(absl::Minutes(1)); };
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_THAT(task.TryResult(), Optional(HasAttempts(3)));
  EXPECT_THAT(Events(EventKind::kStuck), IsEmpty());
}

// --- What is done: kRestart.

TEST_F(StuckTest, AnAttemptThatHangsIsStoppedAndFollowedByAnother) {
  TaskSpec spec = WithHeartbeat(OnStuck::kRestart, [&](TaskContext& context) {
    EXPECT_FALSE(context.stop_requested());
    EXPECT_FALSE(context.stop_token().stop_requested());
    const auto on_stop = context.OnStop([&] { log_.emplace_back("OnStop"); });
    const bool slept = context.SleepFor(absl::InfiniteDuration());
    EXPECT_FALSE(slept);
    EXPECT_TRUE(context.stop_requested());
    if (context.attempt() == 2) throw std::runtime_error("interrupted");
    Hang(absl::Seconds(1));
  });
  spec.hooks.on_error = [&](const absl::Status& error, int64_t) {
    log_.emplace_back(error.ToString());
  };
  spec.hooks.on_exception = [&](const std::exception_ptr&, std::string_view, int64_t) {
    log_.emplace_back("on_exception");
  };
  spec.hooks.on_shutdown = [&] { log_.emplace_back("on_shutdown"); };
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(absl::Seconds(25));
  EXPECT_EQ(task.attempts(), 3);
  EXPECT_EQ(task.info().consecutive_failures, 2);
  EXPECT_THAT(log_,
              ElementsAre("OnStop",
                          "DEADLINE_EXCEEDED: no heartbeat for 10s; asked to stop, it returned "
                          "OK after 1s",
                          "OnStop",
                          "DEADLINE_EXCEEDED: no heartbeat for 10s; asked to stop, it threw "
                          "UNKNOWN: std::runtime_error: interrupted after 0"));
  EXPECT_THAT(Events(EventKind::kStuck),
              ElementsAre(HasSubstr("it is asked to stop (OnStuck::kRestart)"),
                          HasSubstr("22s task 'task' is stuck in attempt 2")));
}

TEST_F(StuckTest, ARunTimeoutStopsOneThatBeats) {
  TaskSpec spec = Spec([](TaskContext& context) {
    while (context.SleepFor(absl::Seconds(1))) context.Heartbeat();
  });
  spec.run_timeout = absl::Seconds(30);
  spec.on_stuck = OnStuck::kRestart;
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(absl::Seconds(30));
  EXPECT_EQ(task.state(), TaskState::kBackingOff);
  EXPECT_THAT(task.info().last_error.ToString(), HasSubstr("longer than its run_timeout, 30s"));
}

TEST_F(StuckTest, HangsCountAsFailuresDo) {
  TaskSpec spec = WithHeartbeat(
      OnStuck::kRestart, [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  // Of what the worker returns, which this is not.
  spec.permanent_errors = {absl::StatusCode::kDeadlineExceeded};
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_THAT(
      task.TryResult(),
      Optional(AllOf(HasFinalStatus(SupervisionStatus::kMaxAttemptsReached), HasAttempts(3))));
}

// However long it takes to see that it hangs: that is no healthy run.
TEST_F(StuckTest, AHangIsNoHealthyRun) {
  for (const bool by_heartbeat : {true, false}) {
    TaskSpec spec = WithHeartbeat(OnStuck::kRestart, [](TaskContext& context) {
      context.SleepFor(absl::InfiniteDuration());
    });
    spec.name = by_heartbeat ? "heartbeat" : "run";
    spec.heartbeat_timeout = by_heartbeat ? absl::Minutes(2) : absl::InfiniteDuration();
    spec.run_timeout = by_heartbeat ? absl::InfiniteDuration() : absl::Minutes(2);
    spec.restart_policy = RestartPolicy::MaxAttempts(3);
    const TaskHandle task = Submit(std::move(spec));
    time_.AdvanceBy(absl::Hours(1));
    EXPECT_THAT(
        task.TryResult(),
        Optional(AllOf(HasFinalStatus(SupervisionStatus::kMaxAttemptsReached), HasAttempts(3))));
  }
}

TEST_F(StuckTest, WhoLivedForLongBeforeItHungWasHealthy) {
  TaskSpec spec = WithHeartbeat(OnStuck::kRestart, [](TaskContext& context) {
    for (int beat = 0; beat < 7; ++beat) {
      context.SleepFor(kTimeout);
      context.Heartbeat();
    }
    context.SleepFor(absl::InfiniteDuration());
    context.Heartbeat();  // too late to be a sign of life
  });
  ASSERT_GT(kTimeout, absl::Seconds(9));  // 7 of them are more than stable_after
  spec.heartbeat_timeout = kTimeout + absl::Seconds(1);
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(absl::Hours(1));
  EXPECT_GT(task.attempts(), 10);
  EXPECT_LE(task.info().consecutive_failures, 1);
  EXPECT_FALSE(task.TryResult().has_value());
}

// Without a delay the next attempt follows on the same lane, and with the same timer.
TEST_F(StuckTest, WithoutADelayTheNextAttemptIsWatchedToo) {
  TaskSpec spec = WithHeartbeat(
      OnStuck::kRestart, [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(5 * kTimeout);
  EXPECT_EQ(task.attempts(), 6);
}

TEST_F(StuckTest, AStopOfTheTaskStillWins) {
  const TaskHandle task = Submit(WithHeartbeat(OnStuck::kRestart, [this](TaskContext& context) {
    context.SleepFor(absl::InfiniteDuration());
    Hang(absl::Seconds(1));
  }));
  time_.AdvanceBy(kTimeout);
  EXPECT_TRUE(task.RequestStop());
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(task.TryResult(), Optional(HasFinalStatus(SupervisionStatus::kManuallyStopped)));
  EXPECT_THAT(task.info().last_error, HasCode(absl::StatusCode::kDeadlineExceeded));
}

// --- An attempt that does not stop.

TEST_F(StuckTest, OneThatIgnoresItsStopLosesItsLaneAndIsWaitedFor) {
  const TaskHandle task = Submit(WithHeartbeat(OnStuck::kRestart, [&](TaskContext& context) {
    EXPECT_EQ(++inside_, 1);
    if (context.attempt() == 1) Hang(absl::Minutes(1));
    context.SleepFor(absl::Seconds(5));
    --inside_;
  }));
  const TaskHandle other = *supervisor_->Submit("other", [] {});
  time_.AdvanceBy(kTimeout + kStopTimeout - kNano);
  EXPECT_EQ(other.state(), TaskState::kQueued);
  EXPECT_THAT(Events(EventKind::kStopIgnored), IsEmpty());
  time_.AdvanceBy(kNano);
  EXPECT_EQ(other.state(), TaskState::kFinished);  // it has the lane
  EXPECT_THAT(
      Events(EventKind::kStopIgnored),
      ElementsAre("13s task 'task' does not stop in attempt 1: its lane is replaced, and its "
                  "task waits for it (OnStuck::kRestart)"));
  EXPECT_EQ(task.state(), TaskState::kRunning);
  EXPECT_EQ(task.info().stuck_for, kStopTimeout);
  time_.AdvanceBy(absl::Minutes(1) - kTimeout - kStopTimeout);
  EXPECT_THAT(Events(EventKind::kLateReturn), ElementsAre(HasSubstr("1m task 'task'")));
  EXPECT_EQ(task.state(), TaskState::kBackingOff);
  EXPECT_THAT(task.info().last_error.ToString(), HasSubstr("it returned OK after 50s"));
  time_.AdvanceBy(absl::Seconds(10));
  EXPECT_THAT(
      task.TryResult(),
      Optional(AllOf(HasFinalStatus(SupervisionStatus::kCompletedNormally), HasAttempts(2))));
}

// A lane that has been replaced is one too many: nothing goes on there.
TEST_F(StuckTest, WithoutADelayTheNextAttemptWaitsForALane) {
  TaskSpec spec = WithHeartbeat(OnStuck::kRestart, [&](TaskContext& context) {
    if (context.attempt() == 1) Hang(absl::Minutes(1));
  });
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  const TaskHandle task = Submit(std::move(spec));
  const TaskHandle other = *supervisor_->Submit(
      "other", [](TaskContext& context) { context.SleepFor(absl::Minutes(5)); });
  time_.AdvanceBy(absl::Minutes(1));
  EXPECT_EQ(other.state(), TaskState::kRunning);
  EXPECT_EQ(task.state(), TaskState::kQueued);
  time_.AdvanceBy(absl::Minutes(5));
  EXPECT_THAT(task.TryResult(), Optional(HasAttempts(2)));
}

TEST_F(StuckTest, OneThatIsWaitedForCanBeStopped) {
  const TaskHandle task =
      Submit(WithHeartbeat(OnStuck::kRestart, [this] { Hang(absl::Minutes(1)); }));
  time_.AdvanceBy(absl::Seconds(20));
  EXPECT_TRUE(task.RequestStop());
  time_.AdvanceBy(kStopTimeout);
  EXPECT_THAT(task.TryResult(), Optional(HasFinalStatus(SupervisionStatus::kAbandoned)));
  time_.AdvanceBy(absl::Minutes(1));
  EXPECT_EQ(task.state(), TaskState::kFinished);
}

TEST_F(StuckTest, OneThatIsGivenUpIsAbandoned) {
  TaskSpec spec = WithHeartbeat(OnStuck::kRestartOrGiveUp, [this] { Hang(absl::Minutes(1)); });
  spec.hooks.on_shutdown = [&] { log_.emplace_back("on_shutdown"); };
  spec.hooks.cleanup = [&] { log_.emplace_back("cleanup"); };
  const TaskHandle task = Submit(std::move(spec));
  const TaskHandle other = *supervisor_->Submit("other", [] {});
  time_.AdvanceBy(kTimeout + kStopTimeout - kNano);
  EXPECT_FALSE(task.TryResult().has_value());
  time_.AdvanceBy(kNano);
  ASSERT_THAT(task.TryResult(),
              Optional(AllOf(HasFinalStatus(SupervisionStatus::kAbandoned), HasAttempts(1))));
  EXPECT_THAT(std::string(task.TryResult()->reason), HasSubstr("OnStuck::kRestartOrGiveUp"));
  const std::string cause = "no heartbeat for 10s; asked to stop, it has not returned";
  EXPECT_THAT(task.TryResult()->last_error.ToString(), HasSubstr(cause));
  EXPECT_EQ(task.state(), TaskState::kOverdue);
  EXPECT_EQ(other.state(), TaskState::kFinished);
  EXPECT_THAT(log_, ElementsAre("on_shutdown"));
  EXPECT_TRUE(supervisor_->Find("task").status().code() == absl::StatusCode::kNotFound);
  time_.AdvanceBy(absl::Minutes(1));
  EXPECT_EQ(task.state(), TaskState::kFinished);
  EXPECT_THAT(log_, ElementsAre("on_shutdown", "cleanup"));
  EXPECT_EQ(Events(EventKind::kLateReturn).size(), 1u);
  EXPECT_THAT(task.TryResult()->last_error.ToString(), HasSubstr(cause)) << "a result stands";
}

// What the attempt before had failed by is not why the task is over.
TEST_F(StuckTest, TheCauseOfOneThatIsGivenUpIsTheHang) {
  TaskSpec spec = WithHeartbeat(OnStuck::kRestartOrGiveUp, [this](TaskContext& context) {
    if (context.attempt() == 1) throw std::runtime_error("refused");
    Hang(absl::Minutes(1));
  });
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(task.info().last_error.ToString(), HasSubstr("refused"));
  time_.AdvanceBy(kTimeout + kStopTimeout);
  ASSERT_THAT(task.TryResult(), Optional(HasFinalStatus(SupervisionStatus::kAbandoned)));
  EXPECT_THAT(task.TryResult()->last_error, HasCode(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(task.TryResult()->last_exception, nullptr);
}

// Decided at the same moment: whoever returns in time has returned.
TEST_F(StuckTest, OneThatStopsJustInTimeIsNotGivenUp) {
  const TaskHandle task = Submit(
      WithHeartbeat(OnStuck::kRestartOrGiveUp, [this] { Hang(kTimeout + kStopTimeout - kNano); }));
  time_.AdvanceBy(kTimeout + kStopTimeout);
  EXPECT_EQ(task.state(), TaskState::kBackingOff);
}

TEST_F(StuckTest, AShutdownNamesOneThatIsWaitedFor) {
  Submit(WithHeartbeat(OnStuck::kRestart, [this] { Hang(absl::Minutes(5)); }));
  time_.AdvanceBy(absl::Minutes(1));
  const absl::Status status = supervisor_->Shutdown(absl::Seconds(1));
  EXPECT_THAT(status.ToString(), HasSubstr("'task' (asked to stop 1s ago)"));
}

// --- kAbort.

using StuckDeathTest = StuckTest;

TEST_F(StuckDeathTest, AWatchdogAbortsTheProcessWhenItHasTold) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto supervisor = *Supervisor::Create({.clock = time_.clock()});
        *supervisor->Submit(WithHeartbeat(OnStuck::kAbort, [](TaskContext& context) {
          context.SleepFor(absl::InfiniteDuration());
        }));
        time_.AdvanceBy(kTimeout);
      },
      "task 'task' is stuck in attempt 1: DEADLINE_EXCEEDED: no heartbeat for 10s; the process is "
      "aborted .OnStuck::kAbort.\n"
      "foxtive: task 'task' is stuck, and the process is aborted: no heartbeat for 10s\n");
}

}  // namespace
}  // namespace foxtive
