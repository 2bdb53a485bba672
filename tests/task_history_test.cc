// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskHandle::history, on simulated time, to the nanosecond.

#include "foxtive/task_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
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
using ::testing::SizeIs;

class TaskHistoryTest : public ::testing::Test {
 protected:
  TaskHistoryTest() { Create({}); }

  void Create(SupervisorOptions options) {
    options.listener = nullptr;
    options.clock = time_.clock();
    supervisor_ = *Supervisor::Create(std::move(options));
  }

  TaskHandle Submit(TaskSpec spec) {
    TaskHandle task = *supervisor_->Submit(std::move(spec));
    time_.AdvanceBy(absl::ZeroDuration());
    return task;
  }

  // Fails in each attempt, `took` after it began, with the number of the attempt.
  TaskHandle SubmitFailing(absl::Duration took, absl::Duration delay) {
    return Submit({.name = "feed",
                   .run = [took](TaskContext& context) -> absl::Status {
                     context.SleepFor(took);
                     return absl::UnavailableError(
                         absl::StrCat("no route, try ", context.attempt()));
                   },
                   .backoff = BackoffStrategy::Constant(delay)});
  }

  // "<number>: <status> after <duration>, next in <delay>, row <digit>".
  static std::vector<std::string> Lines(const TaskHistory& history) {
    std::vector<std::string> lines;
    for (const TaskHistory::Attempt& attempt : history.attempts) {
      const std::string::size_type row = attempt.reason.find("verdict row ");
      lines.push_back(absl::StrCat(
          attempt.in_setup ? "setup " : "", attempt.number, ": ", attempt.status.ToString(),
          " after ", absl::FormatDuration(attempt.duration), ", next in ",
          absl::FormatDuration(attempt.delay),
          row != std::string::npos ? absl::StrCat(", row ", attempt.reason.substr(row + 12, 1))
                                   : ""));
    }
    return lines;
  }

  static std::vector<std::string> Causes(const TaskHistory& history) {
    std::vector<std::string> lines;
    for (const TaskHistory::Cause& cause : history.causes) {
      lines.push_back(absl::StrCat(
          cause.count, " in ", absl::FormatDuration(cause.last - cause.first), ": ", cause.text));
    }
    return lines;
  }

  SimulatedTime time_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(TaskHistoryTest, IsEmptyUntilAnAttemptHasEnded) {
  const TaskHandle task = Submit(
      {.name = "feed", .run = [](TaskContext& context) { context.SleepFor(absl::Seconds(1)); }});
  EXPECT_EQ(task.history().task_name, "feed");
  EXPECT_THAT(task.history().attempts, IsEmpty());
  EXPECT_EQ(ToString(task.history()), "'feed': no attempt has ended");
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(Lines(task.history()), ElementsAre("1: OK after 1s, next in inf, row 3"));
  EXPECT_THAT(task.history().causes, IsEmpty());
}

TEST_F(TaskHistoryTest, OfAHandleWithoutATaskToo) {
  const TaskHistory history = TaskHandle().history();
  EXPECT_EQ(history.task_name, "");
  EXPECT_THAT(history.attempts, IsEmpty());
}

TEST_F(TaskHistoryTest, GrowsByEachAttempt) {
  const TaskHandle task = SubmitFailing(absl::Seconds(1), absl::Seconds(3));
  time_.AdvanceBy(absl::Milliseconds(1500));
  EXPECT_THAT(Lines(task.history()),
              ElementsAre("1: UNAVAILABLE: no route, try 1 after 1s, next in 3s, row 8"));
  EXPECT_THAT(Causes(task.history()), ElementsAre("1 in 0: UNAVAILABLE: no route, try #"));
  time_.AdvanceBy(absl::Seconds(3));
  ASSERT_EQ(task.state(), TaskState::kRunning);
  EXPECT_THAT(task.history().attempts, SizeIs(1)) << "the second one has not ended";
  EXPECT_EQ(task.history().attempts[0].number, 1);
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(Lines(task.history()),
              ElementsAre("1: UNAVAILABLE: no route, try 1 after 1s, next in 3s, row 8",
                          "2: UNAVAILABLE: no route, try 2 after 1s, next in 3s, row 8"));
  EXPECT_THAT(Causes(task.history()), ElementsAre("2 in 4s: UNAVAILABLE: no route, try #"));
  const TaskHistory history = task.history();
  EXPECT_EQ(history.attempts[1].started - history.attempts[0].started, absl::Seconds(4));
}

TEST_F(TaskHistoryTest, KeepsTheLastEightAndCountsAll) {
  const TaskHandle task = SubmitFailing(absl::Seconds(1), absl::Seconds(1));
  time_.AdvanceBy(absl::Seconds(2 * 412) - absl::Milliseconds(500));
  const TaskHistory history = task.history();
  ASSERT_THAT(history.attempts, SizeIs(8));
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(history.attempts[i].number, static_cast<int64_t>(405 + i));
    EXPECT_EQ(history.attempts[i].status,
              absl::UnavailableError(absl::StrCat("no route, try ", 405 + i)));
    EXPECT_EQ(history.attempts[i].duration, absl::Seconds(1));
  }
  EXPECT_THAT(Causes(history), ElementsAre("412 in 13m42s: UNAVAILABLE: no route, try #"));
  EXPECT_THAT(ToString(history), HasSubstr("'feed' failed 412 times, first "));
}

TEST_F(TaskHistoryTest, IsThereAfterTheEndOfTheSupervisor) {
  const TaskHandle task = SubmitFailing(absl::Seconds(1), absl::Seconds(10));
  time_.AdvanceBy(absl::Seconds(15));
  supervisor_ = nullptr;
  EXPECT_THAT(Lines(task.history()),
              ElementsAre("1: UNAVAILABLE: no route, try 1 after 1s, next in 10s, row 8",
                          "2: UNAVAILABLE: no route, try 2 after 1s, next in 10s, row 8"));
}

TEST_F(TaskHistoryTest, TellsTheWallClock) {
  const TaskHandle task = SubmitFailing(absl::Seconds(1), absl::Hours(1));
  time_.AdvanceBy(absl::Minutes(10));
  const TaskHistory history = task.history();
  const absl::Duration ago = absl::Now() - history.attempts.at(0).started;
  EXPECT_GT(ago, absl::Minutes(5));
  EXPECT_LT(ago, absl::Minutes(15));
  EXPECT_EQ(history.causes.at(0).first - history.attempts.at(0).started, absl::Seconds(1));
}

// The same status, and not copies of it, so that it is neither copied nor moved.
TEST_F(TaskHistoryTest, StatusesThatAreShared) {
  const absl::Status error = absl::UnavailableError("no route");
  int attempts = 0;
  const TaskHandle task = Submit({.name = "feed",
                                  .run =
                                      [&attempts, error] {
                                        ++attempts;
                                        if (attempts == 3) return absl::InternalError("once");
                                        return attempts == 5 ? absl::OkStatus() : error;
                                      },
                                  .backoff = BackoffStrategy::Constant(absl::Seconds(1)),
                                  .restart_on = RestartOn::kAnyExit});
  time_.AdvanceBy(absl::Seconds(6));
  EXPECT_THAT(Lines(task.history()),
              ElementsAre("1: UNAVAILABLE: no route after 0, next in 1s, row 8",
                          "2: UNAVAILABLE: no route after 0, next in 1s, row 8",
                          "3: INTERNAL: once after 0, next in 1s, row 8",
                          "4: UNAVAILABLE: no route after 0, next in 1s, row 8",
                          "5: OK after 0, next in 1s, row 3",
                          "6: UNAVAILABLE: no route after 0, next in 1s, row 8",
                          "7: UNAVAILABLE: no route after 0, next in 1s, row 8"));
  EXPECT_THAT(Causes(task.history()),
              ElementsAre("5 in 6s: UNAVAILABLE: no route", "1 in 0: INTERNAL: once"));
}

TEST_F(TaskHistoryTest, ManyTimesTheSameStatus) {
  const TaskHandle task =
      Submit({.name = "feed",
              .run = [error = absl::UnavailableError("no route")] { return error; },
              .backoff = BackoffStrategy::Constant(absl::Seconds(1))});
  time_.AdvanceBy(absl::Seconds(99));
  const TaskHistory history = task.history();
  ASSERT_THAT(history.attempts, SizeIs(8));
  for (const TaskHistory::Attempt& attempt : history.attempts) {
    EXPECT_EQ(attempt.status, absl::UnavailableError("no route"));
  }
  EXPECT_THAT(Causes(history), ElementsAre("100 in 1m39s: UNAVAILABLE: no route"));
}

TEST_F(TaskHistoryTest, WithoutADelay) {
  const TaskHandle task = Submit({.name = "feed",
                                  .run = [](TaskContext& context) -> absl::Status {
                                    context.SleepFor(absl::Seconds(1));
                                    return absl::UnavailableError("no route");
                                  },
                                  .restart_policy = RestartPolicy::MaxAttempts(3),
                                  .backoff = BackoffStrategy::Constant(absl::ZeroDuration())});
  time_.AdvanceBy(absl::Seconds(5));
  EXPECT_THAT(Lines(task.history()),
              ElementsAre("1: UNAVAILABLE: no route after 1s, next in 0, row 8",
                          "2: UNAVAILABLE: no route after 1s, next in 0, row 8",
                          "3: UNAVAILABLE: no route after 1s, next in inf, row 7"));
}

TEST_F(TaskHistoryTest, ExceptionsWithTheirType) {
  const TaskHandle task = Submit({.name = "feed",
                                  .run =
                                      [](TaskContext& context) {
                                        if (context.attempt() == 1) throw 17;
                                        throw std::out_of_range("key: 5");
                                      },
                                  .restart_policy = RestartPolicy::MaxAttempts(2)});
  time_.AdvanceBy(absl::Seconds(60));
  const TaskHistory history = task.history();
  ASSERT_THAT(history.attempts, SizeIs(2));
  EXPECT_EQ(history.attempts[0].exception_type, "int");
  EXPECT_EQ(history.attempts[0].status, absl::UnknownError("int"));
  EXPECT_EQ(history.attempts[1].exception_type, "std::out_of_range");
  EXPECT_EQ(history.attempts[1].status, absl::UnknownError("std::out_of_range: key: 5"));
  EXPECT_THAT(Causes(history),
              ElementsAre("1 in 0: UNKNOWN: int", "1 in 0: UNKNOWN: std::out_of_range: key: #"));
}

TEST_F(TaskHistoryTest, FailedSetups) {
  int setups = 0;
  TaskSpec spec{.name = "feed",
                .run = []() -> absl::Status { return absl::DataLossError("torn"); },
                .backoff = BackoffStrategy::Constant(absl::Seconds(1)),
                .permanent_errors = {absl::StatusCode::kDataLoss},
                .retry_setup = true};
  spec.hooks.setup = [&] {
    return ++setups < 3 ? absl::UnavailableError("no host") : absl::OkStatus();
  };
  const TaskHandle task = Submit(std::move(spec));
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(Lines(task.history()),
              ElementsAre("setup 1: UNAVAILABLE: no host after 0, next in 1s, row 8",
                          "setup 1: UNAVAILABLE: no host after 0, next in 1s, row 8"));
  time_.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(Lines(task.history()),
              ElementsAre("setup 1: UNAVAILABLE: no host after 0, next in 1s, row 8",
                          "setup 1: UNAVAILABLE: no host after 0, next in 1s, row 8",
                          "1: DATA_LOSS: torn after 0, next in inf, row 4"));
}

TEST_F(TaskHistoryTest, AStopHasTheLastWord) {
  const TaskHandle task = SubmitFailing(absl::Seconds(10), absl::Seconds(1));
  time_.AdvanceBy(absl::Seconds(15));
  EXPECT_TRUE(task.RequestStop());
  time_.AdvanceBy(absl::ZeroDuration());
  EXPECT_THAT(Lines(task.history()),
              ElementsAre("1: UNAVAILABLE: no route, try 1 after 10s, next in 1s, row 8",
                          "2: UNAVAILABLE: no route, try 2 after 4s, next in inf, row 1"));
}

TEST_F(TaskHistoryTest, InAHookTheVerdictIsOpen) {
  TaskHistory seen;
  TaskHandle task;
  TaskSpec spec{.name = "feed",
                .run = [](TaskContext& context) -> absl::Status {
                  context.SleepFor(absl::Seconds(1));
                  return absl::UnavailableError(absl::StrCat(context.attempt()));
                },
                .restart_policy = RestartPolicy::MaxAttempts(2),
                .backoff = BackoffStrategy::Constant(absl::Seconds(1))};
  spec.hooks.on_error = [&](const absl::Status&, int64_t) { seen = task.history(); };
  task = Submit(std::move(spec));
  time_.AdvanceBy(absl::Seconds(5));
  EXPECT_THAT(Lines(seen), ElementsAre("1: UNAVAILABLE: 1 after 1s, next in 1s, row 8",
                                       "2: UNAVAILABLE: 2 after 1s, next in inf"));
  EXPECT_THAT(Lines(task.history()), ElementsAre("1: UNAVAILABLE: 1 after 1s, next in 1s, row 8",
                                                 "2: UNAVAILABLE: 2 after 1s, next in inf, row 7"));
}

TEST_F(TaskHistoryTest, AttemptsThatHang) {
  const auto deaf = [this](absl::Duration duration) { test::Dwell(*time_.clock(), duration); };
  const TaskHandle task = Submit(
      {.name = "feed",
       .run =
           [deaf](TaskContext& context) { deaf(absl::Seconds(context.attempt() == 1 ? 4 : 100)); },
       .backoff = BackoffStrategy::Constant(absl::Seconds(1)),
       .run_timeout = absl::Seconds(3),
       .on_stuck = OnStuck::kRestartOrGiveUp,
       .stop_timeout = absl::Seconds(5)});
  time_.AdvanceBy(absl::Seconds(200));
  EXPECT_EQ(task.TryResult()->final_status, SupervisionStatus::kAbandoned);
  const TaskHistory history = task.history();
  ASSERT_THAT(history.attempts, SizeIs(2));
  EXPECT_EQ(history.attempts[0].duration, absl::Seconds(4));
  EXPECT_EQ(history.attempts[0].delay, absl::Seconds(1));
  EXPECT_THAT(history.attempts[0].status.ToString(), HasSubstr("asked to stop, it returned OK"));
  EXPECT_EQ(history.attempts[1].number, 2);
  EXPECT_EQ(history.attempts[1].duration, absl::Seconds(8)) << "until it was given up";
  EXPECT_THAT(history.attempts[1].status.ToString(), HasSubstr("it has not returned"));
  EXPECT_THAT(history.attempts[1].reason, HasSubstr("kRestartOrGiveUp"));
  EXPECT_EQ(history.attempts[1].delay, absl::InfiniteDuration());
}

TEST_F(TaskHistoryTest, RemembersAsManyAsItIsTold) {
  for (const int remembered : {0, 1, 2, 3, 100}) {
    Create({.attempt_history = remembered});
    const TaskHandle task = SubmitFailing(absl::ZeroDuration(), absl::Seconds(1));
    time_.AdvanceBy(absl::Seconds(4));
    const TaskHistory history = task.history();
    ASSERT_THAT(history.attempts, SizeIs(std::min(remembered, 5)));
    if (remembered == 0) continue;
    EXPECT_EQ(history.attempts.back().number, 5);
    ASSERT_THAT(history.causes, SizeIs(1));
    EXPECT_EQ(history.causes[0].count, remembered == 1 ? 1 : 5);
  }
}

TEST_F(TaskHistoryTest, CausesThatGiveWay) {
  const TaskHandle task = Submit({.name = "feed",
                                  .run = [](TaskContext& context) -> absl::Status {
                                    const auto kind =
                                        static_cast<char>('a' + context.attempt() % 6);
                                    return absl::InternalError(std::string(1, kind));
                                  },
                                  .backoff = BackoffStrategy::Constant(absl::Seconds(1))});
  time_.AdvanceBy(absl::Seconds(99));
  const TaskHistory history = task.history();
  int64_t counted = history.other_failures;
  for (const TaskHistory::Cause& cause : history.causes) counted += cause.count;
  EXPECT_EQ(counted, 100);
  EXPECT_THAT(history.causes, SizeIs(4));
}

TEST_F(TaskHistoryTest, PrintsItself) {
  const absl::Time start = absl::FromUnixSeconds(1'700'000'000);
  TaskHistory history{.task_name = "fe\ned"};
  history.causes.push_back({.text = "UNAVAILABLE: no route to #\n",
                            .count = 412,
                            .first = start,
                            .last = start + absl::Milliseconds(100)});
  history.causes.push_back({.text = "INTERNAL: once", .count = 1, .first = start, .last = start});
  history.other_failures = 2;
  history.attempts.push_back({.number = 1,
                              .in_setup = true,
                              .started = start,
                              .duration = absl::Milliseconds(1500),
                              .status = absl::InternalError("once"),
                              .delay = absl::Milliseconds(250),
                              .reason = "because"});
  history.attempts.push_back(
      {.number = 1, .started = start, .delay = absl::InfiniteDuration(), .reason = "because"});
  history.attempts.push_back({.number = 2, .started = start, .delay = absl::InfiniteDuration()});
  const std::string text =
      "'fe\\x0aed' failed 412 times, first 2023-11-14 22:13:20.000, last 2023-11-14 22:13:20.100: "
      "UNAVAILABLE: no route to #\\x0a\n"
      "'fe\\x0aed' failed 1 time, first 2023-11-14 22:13:20.000, last 2023-11-14 22:13:20.000: "
      "INTERNAL: once\n"
      "'fe\\x0aed' failed 2 times of something else\n"
      "setup for attempt 1 began 2023-11-14 22:13:20.000 and took 1.5s: INTERNAL: once; next in "
      "250ms: because\n"
      "attempt 1 began 2023-11-14 22:13:20.000 and took 0: OK: because\n"
      "attempt 2 began 2023-11-14 22:13:20.000 and took 0: OK";
  EXPECT_EQ(ToString(history), text);
  std::ostringstream stream;
  stream << history;
  EXPECT_EQ(stream.str(), text);
}

}  // namespace
}  // namespace foxtive
