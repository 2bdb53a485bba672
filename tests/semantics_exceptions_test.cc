// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S6 and S8, the corners: what exactly is said of an exception, to whom, and that of a hook which
// throws nothing is left behind but a count. And S12 where the runs are told by MarkHealthy.

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

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

// Not in the anonymous namespace, for their names.
struct OddException {};

class MuteException : public std::exception {
 public:
  const char* what() const noexcept override { return nullptr; }
};

namespace {

using ::testing::ElementsAre;

// One object, as all threads know it: the thread sanitizer does not see Abseil count references.
const absl::Status& Down() {
  static const auto& status = *new absl::Status(absl::UnavailableError("down"));
  return status;
}

SupervisionResult ResultOf(TaskSpec spec) {
  auto supervisor = MakeSupervisor();
  return AwaitResult(Submit(*supervisor, std::move(spec)));
}

// What is said of `exception`: the text of the status, and what on_exception is told.
template <typename Exception>
std::pair<std::string, std::string> WordsFor(Exception exception) {
  std::string told;
  TaskSpec spec = Spec("task", [exception] { throw exception; });
  spec.restart_policy = RestartPolicy::Never();
  spec.hooks.on_exception = [&](const std::exception_ptr& caught, std::string_view what, int64_t) {
    EXPECT_THROW(std::rethrow_exception(caught), Exception);
    told = what;
  };
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.last_error.code(), absl::StatusCode::kUnknown) << result;
  return {std::string(result.last_error.message()), told};
}

using Words = std::pair<std::string, std::string>;

TEST(Semantics, S6_TheStatusSaysTypeAndWhat) {
  EXPECT_EQ(WordsFor(std::out_of_range("index 7")), Words("std::out_of_range: index 7", "index 7"));
  EXPECT_EQ(WordsFor(std::bad_alloc()), Words("std::bad_alloc: std::bad_alloc", "std::bad_alloc"));
  EXPECT_EQ(WordsFor(42), Words("int", "int"));
  EXPECT_EQ(WordsFor(OddException()),
            Words("foxtive::test::OddException", "foxtive::test::OddException"));
}

TEST(Semantics, S6_WhatMayBeNull) {
  EXPECT_EQ(WordsFor(MuteException()), Words("foxtive::test::MuteException: (null)", "(null)"));
}

TEST(Semantics, S6_LongWordsAndControlCharactersAreKept) {
  const std::string text = "line 1\nline 2\x01 " + std::string(5000, 'x');
  EXPECT_EQ(WordsFor(std::runtime_error(text)), Words("std::runtime_error: " + text, text));
}

void ThrowAsTheNumberSays(int64_t attempt) {
  if (attempt == 1 || attempt == 2) throw std::runtime_error("a");
  if (attempt == 3) throw std::runtime_error("b");
  if (attempt == 4) throw std::logic_error("b");
  if (attempt == 5) throw 1;
  if (attempt == 6) throw std::runtime_error("");
  if (attempt == 7) throw std::runtime_error("a");
}

// Also after others of the same type, and of the same text.
TEST(Semantics, S6_EachAttemptIsToldOfItsOwnException) {
  EventLog log;
  TaskSpec spec =
      Spec("task", [](TaskContext& context) { ThrowAsTheNumberSays(context.attempt()); });
  spec.hooks.on_exception = [&](const std::exception_ptr&, std::string_view what, int64_t attempt) {
    log.Add(absl::StrCat(attempt, " ", std::string(what)));
  };
  spec.hooks.should_restart = [&](int64_t, const absl::Status& error) {
    log.Add(std::string(error.message()));
    return true;
  };
  ResultOf(std::move(spec));
  EXPECT_THAT(log.Entries(),
              ElementsAre("1 a", "std::runtime_error: a", "2 a", "std::runtime_error: a", "3 b",
                          "std::runtime_error: b", "4 b", "std::logic_error: b", "5 int", "int",
                          "6 ", "std::runtime_error: ", "7 a", "std::runtime_error: a"));
}

TEST(Semantics, S6_SuccessAfterAnExceptionLeavesNone) {
  const SupervisionResult result = ResultOf(Spec("task", [](TaskContext& context) {
    if (context.attempt() == 1) throw OddException();
  }));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally) << result;
  EXPECT_EQ(result.last_error, absl::OkStatus()) << result;
  EXPECT_EQ(result.last_exception, nullptr);
}

TEST(Semantics, S8_AThrowingOnShutdownIsCountedAndHarmless) {
  EventLog log;
  auto supervisor = MakeSupervisor();
  TaskSpec spec =
      Spec("task", [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
  spec.hooks = {.cleanup = [&log] { log.Add("cleanup"); },
                .on_shutdown = [] { throw std::logic_error("hook"); }};
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  AwaitRunning(handle);
  EXPECT_TRUE(handle.RequestStop());
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped) << result;
  EXPECT_EQ(result.last_error, absl::OkStatus()) << result;
  EXPECT_EQ(handle.info().hook_failures, 1);
  EXPECT_THAT(log.Entries(), ElementsAre("cleanup"));
}

TEST(Semantics, S8_EveryThrowOfEveryHookIsCounted) {
  constexpr int kFailures = 19;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [](TaskContext& context) -> absl::Status {
    if (context.attempt() > kFailures) return absl::OkStatus();
    if (context.attempt() % 2 == 0) throw OddException();
    return Down();
  });
  spec.hooks = {
      .cleanup = [] { throw OddException(); },
      .on_restart = [](int64_t) { throw 1; },
      .on_error = [](const absl::Status&, int64_t) { throw MuteException(); },
      .on_exception = [](const std::exception_ptr& exception, std::string_view,
                         int64_t) { std::rethrow_exception(exception); },
      .should_restart = [](int64_t, const absl::Status&) -> bool { throw std::bad_alloc(); }};
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally) << result;
  EXPECT_EQ(result.total_attempts, kFailures + 1) << result;
  EXPECT_EQ(handle.info().hook_failures, 1 + 3 * kFailures);
}

TEST(Semantics, S8_AThrowingHookLeavesTheCauseOfTheTaskAlone) {
  TaskSpec spec = Spec("task", []() -> absl::Status { throw std::runtime_error("the cause"); });
  spec.restart_policy = RestartPolicy::Never();
  spec.hooks = {.cleanup = [] { throw std::logic_error("hook"); },
                .on_exception = [](const std::exception_ptr&, std::string_view,
                                   int64_t) { throw std::logic_error("hook"); }};
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.last_error.message(), "std::runtime_error: the cause") << result;
  EXPECT_THROW(std::rethrow_exception(result.last_exception), std::runtime_error);
}

// How many attempts a task makes that always fails, does not stand three failures in a row, and is
// healthy in attempt `healthy`.
int64_t AttemptsWithOneHealthy(int64_t healthy, absl::Duration stable_after) {
  TaskSpec spec = Spec("task", [healthy](TaskContext& context) {
    if (context.attempt() == healthy) context.MarkHealthy();
    return Down();
  });
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  spec.stable_after = stable_after;
  return ResultOf(std::move(spec)).total_attempts;
}

TEST(Semantics, S12_MarkHealthyIsOfItsOwnAttemptOnly) {
  EXPECT_EQ(AttemptsWithOneHealthy(0, absl::Hours(1)), 3);  // 1, 2, 3
  EXPECT_EQ(AttemptsWithOneHealthy(1, absl::Hours(1)), 3);  // 1, 2, 3
  EXPECT_EQ(AttemptsWithOneHealthy(2, absl::Hours(1)), 4);  // 1, 1, 2, 3
  EXPECT_EQ(AttemptsWithOneHealthy(3, absl::Hours(1)), 5);  // 1, 2, 1, 2, 3
  EXPECT_EQ(AttemptsWithOneHealthy(3, absl::InfiniteDuration()), 5);
}

TEST(Semantics, S12_MarkHealthyIsSeenWhileTheAttemptRuns) {
  Notification marked, go_on;
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    if (context.attempt() < 4) return Down();
    EXPECT_EQ(supervisor->Find("task")->info().consecutive_failures, 3);
    context.MarkHealthy();
    context.MarkHealthy();  // no more than once
    marked.Notify();
    go_on.Await("the end of the test");
    return absl::OkStatus();
  }));
  marked.Await("MarkHealthy");
  EXPECT_EQ(handle.info().consecutive_failures, 0);
  EXPECT_EQ(handle.attempts(), 4);
  go_on.Notify();
  AwaitResult(handle);
}

// `lasts`: each attempt, to the nanosecond.
int64_t AttemptsThatLast(absl::Duration lasts, absl::Duration stable_after) {
  constexpr int64_t kGoodAttempt = 6;
  const auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  TaskSpec spec = Spec("task", [&](TaskContext& context) {
    clock->Advance(lasts);
    return context.attempt() < kGoodAttempt ? Down() : absl::OkStatus();
  });
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  spec.stable_after = stable_after;
  return AwaitResult(Submit(*supervisor, std::move(spec))).total_attempts;
}

TEST(Semantics, S12_StableAfterCountsToTheNanosecond) {
  EXPECT_EQ(AttemptsThatLast(absl::Seconds(7) - absl::Nanoseconds(1), absl::Seconds(7)), 3);
  EXPECT_EQ(AttemptsThatLast(absl::Seconds(7), absl::Seconds(7)), 6);
  EXPECT_EQ(AttemptsThatLast(absl::ZeroDuration(), absl::Nanoseconds(1)), 3);
  EXPECT_EQ(AttemptsThatLast(absl::Nanoseconds(1), absl::Nanoseconds(1)), 6);
}

}  // namespace
}  // namespace foxtive::test
