// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What ShutdownReport says of each task, on simulated time, to the nanosecond; and TaskPhase.
// stack_capture_test.cc has the stacks in it.

#include "foxtive/shutdown_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
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

using foxtive::testing::SimulatedTime;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ShutdownReportTest : public ::testing::Test {
 protected:
  ShutdownReportTest() {
    supervisor_ = *Supervisor::Create({.listener = nullptr, .clock = time_.clock(), .seed = 1});
  }

  // Deaf to any stop.
  void Dwell(absl::Duration duration) { test::Dwell(*time_.clock(), duration); }

  TaskHandle Submit(TaskSpec spec) {
    TaskHandle task = *supervisor_->Submit(std::move(spec));
    time_.AdvanceBy(absl::Milliseconds(1));
    return task;
  }

  SimulatedTime time_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(ShutdownReportTest, TheStuckComeFirstThenWhoTookLongest) {
  Submit({.name = "quick", .run = [](TaskContext& context) { context.SleepFor(absl::Hours(1)); }});
  Submit({.name = "slow", .run = [this](TaskContext& context) {
            context.SleepFor(absl::Hours(1));
            Dwell(absl::Seconds(2));
          }});
  Submit({.name = "stuck", .run = [this] { Dwell(absl::Hours(1)); }});
  Submit({.name = "waits",
          .run = [] { return absl::UnavailableError("no route"); },
          .backoff = BackoffStrategy::Constant(absl::Hours(1))});
  Submit({.name = "over", .run = [] {}});
  ShutdownReport report;
  const absl::Status status = supervisor_->Shutdown(absl::Seconds(5), report);
  EXPECT_THAT(status.ToString(), HasSubstr("'stuck' (asked to stop 5s ago)"));
  EXPECT_EQ(report.timeout, absl::Seconds(5));
  EXPECT_EQ(report.took, absl::Seconds(5));
  EXPECT_EQ(report.not_listed, 0);
  std::vector<std::string> names;
  for (const ShutdownReport::Task& task : report.tasks) names.push_back(task.info.name);
  ASSERT_THAT(names, ElementsAre("stuck", "slow", "quick", "waits")) << "what was over is not";

  const ShutdownReport::Task& stuck = report.tasks[0];
  EXPECT_TRUE(stuck.stuck());
  EXPECT_EQ(stuck.final_status, SupervisionStatus::kAbandoned);
  EXPECT_EQ(stuck.info.phase, TaskPhase::kRun);
  EXPECT_EQ(stuck.since_stop, absl::Seconds(5));
  const ShutdownReport::Task& slow = report.tasks[1];
  EXPECT_FALSE(slow.stuck());
  EXPECT_EQ(slow.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(slow.since_stop, absl::Seconds(2));
  EXPECT_EQ(slow.info.phase, TaskPhase::kNone);
  const ShutdownReport::Task& waits = report.tasks[3];
  EXPECT_EQ(waits.since_stop, absl::ZeroDuration());
  EXPECT_EQ(waits.info.last_error, absl::UnavailableError("no route"));
  EXPECT_EQ(waits.info.attempts, 1);
}

TEST_F(ShutdownReportTest, WithoutAnythingStuckItTakesNoLongerThanTheTasks) {
  Submit({.name = "slow", .run = [this](TaskContext& context) {
            context.SleepFor(absl::Hours(1));
            Dwell(absl::Seconds(2));
          }});
  ShutdownReport report;
  EXPECT_EQ(supervisor_->Shutdown(absl::InfiniteDuration(), report), absl::OkStatus());
  EXPECT_EQ(report.took, absl::Seconds(2));
  EXPECT_EQ(report.tasks.size(), 1);
  EXPECT_EQ(supervisor_->Shutdown(absl::Seconds(5), report), absl::OkStatus());
  EXPECT_EQ(report.took, absl::ZeroDuration());
  EXPECT_THAT(report.tasks, IsEmpty()) << "and the second one finds nobody";
}

TEST_F(ShutdownReportTest, WhoWasAbandonedBeforeAndHasNotReturnedIsInIt) {
  Submit({.name = "stuck",
          .run = [this] { Dwell(absl::Seconds(100)); },
          .stop_timeout = absl::Seconds(1)})
      .RequestStop();
  time_.AdvanceBy(absl::Seconds(10));
  ShutdownReport report;
  EXPECT_FALSE(supervisor_->Shutdown(absl::Seconds(5), report).ok());
  ASSERT_EQ(report.tasks.size(), 1);
  EXPECT_TRUE(report.tasks[0].stuck());
  EXPECT_EQ(report.tasks[0].since_stop, absl::Seconds(10));
  EXPECT_EQ(report.took, absl::ZeroDuration()) << "nobody is waited for who has a result";
  time_.AdvanceBy(absl::Seconds(100));
  EXPECT_EQ(supervisor_->Shutdown(absl::Seconds(5), report), absl::OkStatus());
  EXPECT_THAT(report.tasks, IsEmpty());
}

TEST_F(ShutdownReportTest, WhereItIsRefusedItIsEmpty) {
  ShutdownReport report{.not_listed = 17};
  absl::Status status;
  Submit(
      {.name = "asks", .run = [&] { status = supervisor_->Shutdown(absl::Seconds(5), report); }});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(report.not_listed, 0);
  EXPECT_THAT(report.tasks, IsEmpty());
}

TEST_F(ShutdownReportTest, PrintsTheStuckWithTheirStacks) {
  ShutdownReport report{.timeout = absl::Seconds(5), .took = absl::Seconds(5)};
  EXPECT_EQ(ToString(report), "shutdown took 5s of 5s: 0 of 0 tasks are stuck");
  const auto stack = std::make_shared<const StackTrace>(
      StackTrace{.frames = {{.address = 0x10, .function = "Read", .module_file = "/bin/a"},
                            {.address = 0xabc}}});
  report.tasks.push_back({.info = {.name = "feed",
                                   .state = TaskState::kOverdue,
                                   .attempts = 3,
                                   .phase = TaskPhase::kRun,
                                   .since_heartbeat = absl::Seconds(9),
                                   .stack = stack},
                          .final_status = SupervisionStatus::kAbandoned,
                          .since_stop = absl::Seconds(5)});
  report.tasks.push_back({.info = {.name = "pump", .state = TaskState::kFinished, .stack = stack},
                          .since_stop = absl::Milliseconds(1200)});
  report.tasks.push_back({.info = {.name = "link", .state = TaskState::kFinished},
                          .since_stop = absl::Milliseconds(3),
                          .stop_order = -2});
  report.not_listed = 2;
  EXPECT_EQ(ToString(report),
            "shutdown took 5s of 5s: 1 of 3 tasks is stuck (and 2 for which there was no memory)\n"
            "stuck, asked to stop 5s ago: 'feed': kOverdue for 0 in kRun, last heartbeat 9s ago; "
            "3 attempts, 0 failures in a row, 0 hook failures; last error: OK\n"
            "  #0 Read (/bin/a+0x0)\n"
            "  #1 ? (0xabc)\n"
            "over after 1.2s: kManuallyStopped, 'pump': kFinished for 0; "
            "0 attempts, 0 failures in a row, 0 hook failures; last error: OK\n"
            "over after 3ms: stop_order -2, kManuallyStopped, 'link': kFinished for 0; "
            "0 attempts, 0 failures in a row, 0 hook failures; last error: OK");
}

// --- TaskPhase.

struct Dweller {
  std::function<void()> dwell;
  ~Dweller() { dwell(); }
};

TEST_F(ShutdownReportTest, PhasesOnTheLane) {
  const auto dwell = [this] { Dwell(absl::Seconds(2)); };
  TaskSpec spec{.name = "task",
                .run = [dwell]() -> absl::Status {
                  dwell();
                  return absl::UnavailableError("no route");
                },
                .backoff = BackoffStrategy::Constant(absl::Seconds(4))};
  spec.hooks.setup = [dwell] { return dwell(), absl::OkStatus(); };
  spec.hooks.on_error = [dwell](const absl::Status&, int64_t) { dwell(); };
  spec.hooks.on_restart = [dwell](int64_t) { dwell(); };
  const TaskHandle task = Submit(std::move(spec));
  std::vector<TaskPhase> phases;
  for (int i = 0; i < 6; ++i) {
    phases.push_back(task.info().phase);
    time_.AdvanceBy(absl::Seconds(2));
  }
  EXPECT_THAT(phases, ElementsAre(TaskPhase::kSetup, TaskPhase::kRun, TaskPhase::kHook,
                                  TaskPhase::kNone, TaskPhase::kHook, TaskPhase::kRun));
}

TEST_F(ShutdownReportTest, PhasesOfTheEnd) {
  const auto dwell = [this] { Dwell(absl::Seconds(2)); };
  TaskSpec spec{.name = "task",
                .run = [dweller = std::shared_ptr<Dweller>(new Dweller{dwell})](
                           TaskContext& context) { context.SleepFor(absl::Hours(1)); }};
  spec.hooks.on_shutdown = dwell;
  spec.hooks.cleanup = dwell;
  const TaskHandle task = Submit(std::move(spec));
  std::vector<TaskPhase> phases{task.info().phase};
  EXPECT_TRUE(task.RequestStop());
  time_.AdvanceBy(absl::Milliseconds(1));
  for (int i = 0; i < 4; ++i) {
    phases.push_back(task.info().phase);
    time_.AdvanceBy(absl::Seconds(2));
  }
  EXPECT_THAT(phases, ElementsAre(TaskPhase::kRun, TaskPhase::kStopCalls, TaskPhase::kCleanup,
                                  TaskPhase::kDestruction, TaskPhase::kNone));
}

TEST_F(ShutdownReportTest, TimeSinceTheLastHeartbeat) {
  const auto beat = [this](TaskContext& context) {
    context.Heartbeat();
    Dwell(absl::Seconds(5));
  };
  const TaskHandle without = Submit({.name = "without", .run = beat});
  const TaskHandle with = Submit({.name = "with", .run = beat, .run_timeout = absl::Hours(1)});
  EXPECT_EQ(without.info().since_heartbeat, absl::InfiniteDuration());
  EXPECT_EQ(with.info().since_heartbeat, absl::Milliseconds(1));
}

}  // namespace
}  // namespace foxtive
