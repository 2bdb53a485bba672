// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskSpec::stop_order: who is asked to stop before whom, and how the time is shared, on simulated
// time, to the nanosecond.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "foxtive/testing.h"
#include "tests/support/dwell.h"

namespace foxtive {
namespace {

using foxtive::testing::SimulatedTime;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Stages : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind == EventKind::kStageOverdue) told.emplace_back(event.reason);
  }
  std::vector<std::string> told;
};

class StopOrderTest : public ::testing::Test {
 protected:
  StopOrderTest() { Create({}); }

  void Create(SupervisorOptions options) {
    options.listener = stages_;
    options.clock = time_.clock();
    options.seed = 1;
    supervisor_ = *Supervisor::Create(std::move(options));
  }

  std::string Clocked(const std::string& what) const {
    return absl::StrCat(what, " ", absl::FormatDuration(time_.elapsed() - began_));
  }

  // Says when it is asked to stop, and then needs `takes` for it, whatever happens.
  TaskSpec Worker(std::string name, int stop_order, absl::Duration takes = absl::ZeroDuration()) {
    return {.name = name,
            .run =
                [this, name, takes](TaskContext& context) {
                  context.SleepFor(absl::InfiniteDuration());
                  stops_.push_back(Clocked(name));
                  Dwell(takes);
                },
            .stop_order = stop_order};
  }

  void Dwell(absl::Duration duration) { test::Dwell(*time_.clock(), duration); }

  TaskHandle Submit(TaskSpec spec) {
    TaskHandle task = *supervisor_->Submit(std::move(spec));
    time_.AdvanceBy(absl::ZeroDuration());
    began_ = time_.elapsed();
    return task;
  }

  std::string ShutDown(absl::Duration timeout) {
    began_ = time_.elapsed();
    const absl::Status status = supervisor_->Shutdown(timeout);
    return Clocked(status.ok() ? "OK" : "late");
  }

  SimulatedTime time_;
  std::shared_ptr<Stages> stages_ = std::make_shared<Stages>();
  absl::Duration began_{};
  std::vector<std::string> stops_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(StopOrderTest, TheLowerOnesAreOverBeforeTheHigherOnesAreAsked) {
  Submit(Worker("log", 7, absl::Seconds(1)));
  Submit(Worker("link", 1));
  Submit(Worker("first", -3, absl::Seconds(4)));
  Submit(Worker("consumer 1", 0, absl::Seconds(1)));
  Submit(Worker("consumer 2", 0, absl::Seconds(3)));
  EXPECT_EQ(ShutDown(absl::Minutes(1)), "OK 8s");
  EXPECT_THAT(stops_,
              ElementsAre("first 0", "consumer 1 4s", "consumer 2 4s", "link 7s", "log 7s"));
  EXPECT_THAT(stages_->told, IsEmpty());
}

TEST_F(StopOrderTest, TheHigherOnesGoOnMeanwhileRestartsIncluded) {
  Submit(Worker("consumer", 0, absl::Seconds(10)));
  TaskHandle link = Submit({.name = "link",
                            .run = [this](TaskContext& context) -> absl::Status {
                              if (!context.SleepFor(absl::Seconds(2))) {
                                stops_.push_back(Clocked("link"));
                                return absl::OkStatus();
                              }
                              return absl::UnavailableError("no route");
                            },
                            .backoff = BackoffStrategy::Constant(absl::Seconds(1)),
                            .stop_order = 1});
  EXPECT_EQ(ShutDown(absl::Minutes(1)), "OK 10s");
  EXPECT_THAT(stops_, ElementsAre("consumer 0", "link 10s"));
  EXPECT_EQ(link.attempts(), 4) << "they began at 0 s, 3 s, 6 s and 9 s";
}

TEST_F(StopOrderTest, AStuckStageHasItsPartAndKeepsTheRestOfTheTime) {
  Submit(Worker("stuck", 0, absl::Hours(1)));
  Submit(Worker("slow", 0, absl::Seconds(5)));
  Submit(Worker("link", 1, absl::Seconds(1)));
  Submit(Worker("log", 2, absl::Milliseconds(500)));
  ShutdownReport report;
  began_ = time_.elapsed();
  EXPECT_FALSE(supervisor_->Shutdown(absl::Seconds(6), report).ok());
  EXPECT_EQ(Clocked("at"), "at 6s");
  // Two seconds of six, and the rest in equal parts.
  EXPECT_THAT(stops_, ElementsAre("stuck 0", "slow 0", "link 2s", "log 3s"));
  EXPECT_THAT(stages_->told,
              ElementsAre("stop_order 0: its part of the time is over, and 2 tasks are not: "
                          "'stuck', 'slow'; stop_order 1 is asked to stop"));
  std::vector<std::string> lines;
  for (const ShutdownReport::Task& task : report.tasks) {
    lines.push_back(absl::StrCat(task.info.name, " ", task.stop_order, " ",
                                 ToString(task.final_status), " ",
                                 absl::FormatDuration(task.since_stop)));
  }
  EXPECT_THAT(lines, ElementsAre("stuck 0 kAbandoned 6s", "slow 0 kManuallyStopped 5s",
                                 "link 1 kManuallyStopped 1s", "log 2 kManuallyStopped 500ms"));
}

TEST_F(StopOrderTest, WhatOneLeavesGoesToAllThatFollow) {
  Submit(Worker("a", 0, absl::Seconds(1)));
  Submit(Worker("b", 1, absl::Hours(1)));
  Submit(Worker("c", 2, absl::Hours(1)));
  Submit(Worker("d", 3));
  EXPECT_EQ(ShutDown(absl::Seconds(10)), "late 10s");
  EXPECT_THAT(stops_, ElementsAre("a 0", "b 1s", "c 4s", "d 7s"));
  EXPECT_EQ(stages_->told.size(), 2);
}

TEST_F(StopOrderTest, OneThatEndsByItselfLeavesItsTime) {
  Submit(Worker("a", 0, absl::Hours(1)));
  Submit({.name = "b",
          .run = [](TaskContext& context) { context.SleepFor(absl::Seconds(2)); },
          .stop_order = 1});
  Submit(Worker("c", 2, absl::Hours(1)));
  Submit(Worker("d", 3));
  EXPECT_EQ(ShutDown(absl::Seconds(12)), "late 12s");
  EXPECT_THAT(stops_, ElementsAre("a 0", "c 3s", "d 7.5s"));
}

TEST_F(StopOrderTest, WithoutTimeAllAreAskedAndNobodyIsTold) {
  const TaskHandle a = Submit(Worker("a", 1, absl::Hours(1)));
  const TaskHandle b = Submit(Worker("b", 2, absl::Hours(1)));
  EXPECT_EQ(ShutDown(absl::ZeroDuration()), "late 0");
  EXPECT_EQ(a.TryResult()->final_status, SupervisionStatus::kAbandoned);
  EXPECT_EQ(b.TryResult()->final_status, SupervisionStatus::kAbandoned);
  EXPECT_THAT(stages_->told, IsEmpty());
}

TEST_F(StopOrderTest, WithoutALimitAStageHasAllTheTime) {
  TaskSpec spec = Worker("a", 0, absl::Hours(100));
  spec.stop_timeout = absl::InfiniteDuration();
  Submit(std::move(spec));
  Submit(Worker("b", 1));
  EXPECT_EQ(ShutDown(absl::InfiniteDuration()), "OK 100h");
  EXPECT_THAT(stops_, ElementsAre("a 0", "b 100h"));
}

TEST_F(StopOrderTest, AStageIsOverWhenItsTasksAreAbandoned) {
  TaskSpec spec = Worker("stuck", 0, absl::Hours(1));
  spec.stop_timeout = absl::Seconds(3);
  Submit(std::move(spec));
  Submit(Worker("link", 1));
  EXPECT_EQ(ShutDown(absl::Minutes(1)), "late 3s");
  EXPECT_THAT(stops_, ElementsAre("stuck 0", "link 3s"));
  EXPECT_THAT(stages_->told, IsEmpty());
}

TEST_F(StopOrderTest, TheTimeToStopBeginsWhenOneIsAsked) {
  Submit(Worker("consumer", 0, absl::Seconds(10)));
  TaskSpec spec = Worker("link", 1, absl::Seconds(4));
  spec.stop_timeout = absl::Seconds(5);
  const TaskHandle link = Submit(std::move(spec));
  EXPECT_EQ(ShutDown(absl::Minutes(1)), "OK 14s");
  EXPECT_EQ(link.TryResult()->final_status, SupervisionStatus::kManuallyStopped);
}

// --- Whoever sees to it.

TEST_F(StopOrderTest, WhereNobodyWaitsTheMonitorSeesToIt) {
  Create({.shutdown_timeout = absl::Seconds(10)});
  Submit(Worker("a", 0, absl::Seconds(1)));
  Submit(Worker("b", 1, absl::Hours(1)));
  Submit(Worker("c", 2, absl::Seconds(1)));
  Submit(Worker("d", 3));
  supervisor_->RequestShutdown();
  time_.AdvanceBy(absl::Seconds(10));
  // 9 s for three.
  EXPECT_THAT(stops_, ElementsAre("a 0", "b 1s", "c 4s", "d 5s"));
  EXPECT_EQ(stages_->told.size(), 1);
  EXPECT_EQ(supervisor_->ListTasks().size(), 1);
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(supervisor_->ListTasks(), IsEmpty()) << "b was asked a second later";
}

TEST_F(StopOrderTest, TheDestructorSeesToIt) {
  Create({.shutdown_timeout = absl::Seconds(8)});
  Submit(Worker("a", 0, absl::Seconds(1)));
  Submit(Worker("b", 1, absl::Hours(1)));
  Submit(Worker("c", 2));
  supervisor_ = nullptr;
  EXPECT_EQ(Clocked("gone"), "gone 8s");
  EXPECT_THAT(stops_, ElementsAre("a 0", "b 1s", "c 4.5s"));
}

// The other one is called by the code of another Supervisor.
TEST_F(StopOrderTest, OfTwoWhoWaitEachCountsItsOwnTimeAndTheFirstOneToRunOutDecides) {
  const std::unique_ptr<Supervisor> other =
      *Supervisor::Create({.listener = nullptr, .clock = time_.clock()});
  Submit(Worker("a", 0, absl::Hours(1)));
  Submit(Worker("b", 1, absl::Hours(1)));
  Submit(Worker("c", 2));
  absl::Status status;
  ASSERT_TRUE(other
                  ->Submit({.name = "hurries",
                            .run = [&] { status = supervisor_->Shutdown(absl::Seconds(6)); }})
                  .ok());
  EXPECT_EQ(ShutDown(absl::Seconds(60)), "late 6s");
  time_.AdvanceBy(absl::ZeroDuration());
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(stops_, ElementsAre("a 0", "b 2s", "c 4s"));
  EXPECT_EQ(stages_->told.size(), 2) << "each of them once";
}

TEST_F(StopOrderTest, ATaskThatDestroysItsSupervisorHoldsNobodyBack) {
  Create({.shutdown_timeout = absl::Seconds(10)});
  Submit(Worker("b", 1, absl::Seconds(1)));
  Submit(Worker("c", 2, absl::Seconds(1)));
  Submit({.name = "owner", .run = [this](TaskContext& context) {
            context.SleepFor(absl::Seconds(5));
            began_ = time_.elapsed();
            supervisor_ = nullptr;
            stops_.push_back(Clocked("owner"));
          }});
  time_.AdvanceBy(absl::Minutes(1));
  EXPECT_THAT(stops_, ElementsAre("b 0", "c 1s", "owner 2s"));
}

// --- Whose turn has not come.

TEST_F(StopOrderTest, AStopByAHandleComesAtOnce) {
  const TaskHandle link = Submit(Worker("link", 1));
  Submit({.name = "consumer", .run = [this, link](TaskContext& context) {
            context.SleepFor(absl::InfiniteDuration());
            Dwell(absl::Seconds(2));
            EXPECT_TRUE(link.RequestStop());
            Dwell(absl::Seconds(2));
          }});
  EXPECT_EQ(ShutDown(absl::Minutes(1)), "OK 4s");
  EXPECT_THAT(stops_, ElementsAre("link 2s"));
}

TEST_F(StopOrderTest, OneThatWaitsForALaneGetsIt) {
  Create({.max_concurrency = 2});
  Submit(Worker("consumer", 0, absl::Seconds(10)));
  Submit({.name = "holds the lane",
          .run = [this](TaskContext&) { Dwell(absl::Seconds(2)); },
          .stop_order = 1});
  const TaskHandle queued = Submit(
      {.name = "queued", .run = [this] { stops_.push_back(Clocked("runs")); }, .stop_order = 1});
  ASSERT_EQ(queued.state(), TaskState::kQueued);
  EXPECT_EQ(ShutDown(absl::Minutes(1)), "OK 10s");
  EXPECT_THAT(stops_, ElementsAre("consumer 0", "runs 2s"));
  EXPECT_EQ(queued.TryResult()->final_status, SupervisionStatus::kCompletedNormally);
}

TEST_F(StopOrderTest, TheyAreFoundListedAndCountedUntilTheyAreOver) {
  const TaskHandle never_started = *supervisor_->Register(Worker("never started", 2));
  Submit(Worker("link", 1));
  std::vector<std::string> names;
  Submit({.name = "consumer", .run = [&](TaskContext& context) {
            context.SleepFor(absl::InfiniteDuration());
            Dwell(absl::Seconds(1));
            for (const TaskInfo& info : supervisor_->ListTasks()) names.push_back(info.name);
            EXPECT_EQ(supervisor_->task_count(), 2);
            EXPECT_TRUE(supervisor_->Find("link").ok());
            EXPECT_EQ(supervisor_->StartAll().code(), absl::StatusCode::kFailedPrecondition);
          }});
  EXPECT_EQ(ShutDown(absl::Minutes(1)), "OK 1s");
  EXPECT_THAT(names, ElementsAre("never started", "link", "consumer"));
  EXPECT_EQ(never_started.TryResult()->final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(never_started.attempts(), 0);
}

TEST_F(StopOrderTest, ManyStagesAndManyTasks) {
  Create({.max_concurrency = 500});
  for (int i = 0; i < 500; ++i) {
    Submit(Worker(absl::StrCat(i), (i * 37) % 100 - 50, absl::Milliseconds(1)));
  }
  EXPECT_EQ(ShutDown(absl::Minutes(1)), "OK 100ms");
  ASSERT_EQ(stops_.size(), 500);
  for (size_t i = 0; i < stops_.size(); ++i) {
    const auto stage = static_cast<int64_t>(i) / 5;
    EXPECT_THAT(stops_[i], ::testing::EndsWith(
                               absl::StrCat(" ", absl::FormatDuration(absl::Milliseconds(stage)))));
  }
}

}  // namespace
}  // namespace foxtive
