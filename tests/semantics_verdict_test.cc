// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S5 to S8: what counts as a failure, who decides what follows, and what throws without harm.

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Status& Down() {
  static const absl::Status& down = *new absl::Status(absl::UnavailableError("down"));
  return down;
}

absl::Status AlwaysDown() { return Down(); }

// Fails in all attempts before `good_attempt`.
RunFunction GoodFrom(int64_t good_attempt) {
  return [good_attempt](TaskContext& context) {
    return context.attempt() < good_attempt ? Down() : absl::OkStatus();
  };
}

SupervisionResult ResultOf(TaskSpec spec) {
  auto supervisor = MakeSupervisor();
  return AwaitResult(Submit(*supervisor, std::move(spec)));
}

TEST(Semantics, S5_ShouldRestartPreventsTheNextAttempt) {
  TaskSpec spec = Spec("task", AlwaysDown);
  spec.hooks.should_restart = [](int64_t attempt, const absl::Status&) { return attempt < 3; };
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kRestartPrevented);
  EXPECT_EQ(result.total_attempts, 3);
  EXPECT_EQ(result.last_error, Down());
}

TEST(Semantics, S5_ShouldRestartGetsAttemptAndError) {
  EventLog log;
  TaskSpec spec = Spec("task", [](TaskContext& context) -> absl::Status {
    if (context.attempt() == 1) return absl::NotFoundError("no file");
    if (context.attempt() == 2) throw std::runtime_error("broken");
    return absl::OkStatus();
  });
  spec.hooks.should_restart = [&log](int64_t attempt, const absl::Status& error) {
    log.Add(absl::StrCat(attempt, " ", error.ToString()));
    return true;
  };
  ResultOf(std::move(spec));
  EXPECT_THAT(log.Entries(),
              ElementsAre("1 NOT_FOUND: no file", "2 UNKNOWN: std::runtime_error: broken"));
}

// The verdict under `policy` of a task that always fails and does not want to be restarted.
SupervisionStatus VerdictIfPrevented(RestartPolicy policy) {
  TaskSpec spec = Spec("task", AlwaysDown);
  spec.restart_policy = policy;
  spec.hooks.should_restart = [](int64_t, const absl::Status&) { return false; };
  return ResultOf(std::move(spec)).final_status;
}

TEST(Semantics, S5_ShouldRestartIsAskedBeforeThePolicy) {
  EXPECT_EQ(VerdictIfPrevented(RestartPolicy::Never()), SupervisionStatus::kRestartPrevented);
  EXPECT_EQ(VerdictIfPrevented(RestartPolicy::MaxAttempts(1)),
            SupervisionStatus::kRestartPrevented);
  EXPECT_EQ(VerdictIfPrevented(RestartPolicy::Always()), SupervisionStatus::kRestartPrevented);
}

TEST(Semantics, S5_ShouldRestartIsAskedUnderNever) {
  EventLog log;
  TaskSpec spec = Spec("task", AlwaysDown);
  spec.restart_policy = RestartPolicy::Never();
  spec.hooks.should_restart = [&log](int64_t, const absl::Status&) {
    log.Add("asked");
    return true;
  };
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(result.total_attempts, 1);
  EXPECT_EQ(result.last_error, Down());
  EXPECT_THAT(log.Entries(), ElementsAre("asked"));
}

TEST(Semantics, S5_NeverCompletesNormallyAfterOk) {
  TaskSpec spec = Spec("task", GoodFrom(1));
  spec.restart_policy = RestartPolicy::Never();
  EXPECT_EQ(ResultOf(std::move(spec)).final_status, SupervisionStatus::kCompletedNormally);
}

TEST(Semantics, S5_MaxAttemptsEndsATaskThatFailsThatOften) {
  for (int64_t max_attempts : {1, 2, 3, 50}) {
    TaskSpec spec = Spec("task", GoodFrom(max_attempts + 1));
    spec.restart_policy = RestartPolicy::MaxAttempts(max_attempts);
    const SupervisionResult result = ResultOf(std::move(spec));
    EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached) << max_attempts;
    EXPECT_EQ(result.total_attempts, max_attempts);
    EXPECT_EQ(result.last_error, Down());
  }
}

TEST(Semantics, S5_MaxAttemptsLetsTheLastAttemptSucceed) {
  for (int64_t max_attempts : {1, 2, 3, 50}) {
    TaskSpec spec = Spec("task", GoodFrom(max_attempts));
    spec.restart_policy = RestartPolicy::MaxAttempts(max_attempts);
    const SupervisionResult result = ResultOf(std::move(spec));
    EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally) << max_attempts;
    EXPECT_EQ(result.total_attempts, max_attempts);
  }
}

TEST(Semantics, S5_AlwaysRestartsHoweverOftenItFails) {
  const SupervisionResult result = ResultOf(Spec("task", GoodFrom(1000)));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 1000);
}

// No verdict below needs the clock to move, although every restart would take an hour.
SupervisionResult ResultWithoutTime(TaskSpec spec) {
  auto supervisor = MakeSupervisor(OptionsWith(std::make_shared<ManualClock>()));
  spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
  return AwaitResult(Submit(*supervisor, std::move(spec)));
}

TEST(Semantics, S5_TheVerdictComesAtOnceUnderNever) {
  TaskSpec spec = Spec("task", AlwaysDown);
  spec.restart_policy = RestartPolicy::Never();
  EXPECT_EQ(ResultWithoutTime(std::move(spec)).elapsed, absl::ZeroDuration());
}

TEST(Semantics, S5_TheVerdictComesAtOnceUnderMaxAttempts) {
  TaskSpec spec = Spec("task", AlwaysDown);
  spec.restart_policy = RestartPolicy::MaxAttempts(1);
  EXPECT_EQ(ResultWithoutTime(std::move(spec)).elapsed, absl::ZeroDuration());
}

TEST(Semantics, S5_TheVerdictComesAtOnceWhenPrevented) {
  TaskSpec spec = Spec("task", AlwaysDown);
  spec.hooks.should_restart = [](int64_t, const absl::Status&) { return false; };
  EXPECT_EQ(ResultWithoutTime(std::move(spec)).elapsed, absl::ZeroDuration());
}

TEST(Semantics, S5_TheVerdictComesAtOnceAfterTheLastOfSeveralAttempts) {
  auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  TaskSpec spec = Spec("task", AlwaysDown);
  spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  TaskHandle handle = Submit(*supervisor, std::move(spec));
  clock->AwaitDeadline(clock->Now() + absl::Hours(1));
  clock->Advance(absl::Hours(1));
  EXPECT_EQ(AwaitResult(handle).elapsed, absl::Hours(1));
}

struct Odd {
  int size = 3;
};

class Mute : public std::exception {
 public:
  const char* what() const noexcept override { return nullptr; }
};

// The result of a task whose only attempt throws.
template <typename Exception>
SupervisionResult ResultOfThrowing(Exception exception) {
  TaskSpec spec = Spec("task", [exception] { throw exception; });
  spec.restart_policy = RestartPolicy::Never();
  return ResultOf(std::move(spec));
}

TEST(Semantics, S6_StandardExceptionsAreCaughtAndNamed) {
  const SupervisionResult result = ResultOfThrowing(std::out_of_range("index 7"));
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(result.last_error.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(result.last_error.message(), "std::out_of_range: index 7");
  ASSERT_NE(result.last_exception, nullptr);
  EXPECT_THROW(std::rethrow_exception(result.last_exception), std::out_of_range);
}

TEST(Semantics, S6_OtherTypesAreCaughtAndNamed) {
  const SupervisionResult of_int = ResultOfThrowing(42);
  EXPECT_EQ(of_int.last_error.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(of_int.last_error.message(), "int");
  ASSERT_NE(of_int.last_exception, nullptr);
  EXPECT_THROW(std::rethrow_exception(of_int.last_exception), int);

  const SupervisionResult of_struct = ResultOfThrowing(Odd{});
  EXPECT_THAT(std::string(of_struct.last_error.message()), HasSubstr("Odd"));
  ASSERT_NE(of_struct.last_exception, nullptr);
  EXPECT_THROW(std::rethrow_exception(of_struct.last_exception), Odd);

  const SupervisionResult of_text = ResultOfThrowing("a literal");
  EXPECT_EQ(of_text.last_error.message(), "char const*");
}

TEST(Semantics, S6_BadAllocIsCaughtAndNamed) {
  const SupervisionResult result = ResultOfThrowing(std::bad_alloc());
  EXPECT_EQ(result.last_error.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(result.last_error.message(), "std::bad_alloc: std::bad_alloc");
  ASSERT_NE(result.last_exception, nullptr);
  EXPECT_THROW(std::rethrow_exception(result.last_exception), std::bad_alloc);
}

TEST(Semantics, S6_AnExceptionWithoutWordsIsCaught) {
  const SupervisionResult result = ResultOfThrowing(Mute());
  EXPECT_EQ(result.last_error.code(), absl::StatusCode::kUnknown);
  EXPECT_THAT(std::string(result.last_error.message()), HasSubstr("Mute"));
}

TEST(Semantics, S6_ExceptionsGoToOnExceptionAndErrorsToOnError) {
  EventLog log;
  TaskSpec spec = Spec("task", [](TaskContext& context) -> absl::Status {
    if (context.attempt() == 1) throw std::runtime_error("broken");
    if (context.attempt() == 2) return Down();
    return absl::OkStatus();
  });
  spec.hooks.on_error = [&](const absl::Status& error, int64_t attempt) {
    log.Add(absl::StrCat("error ", attempt, " ", error.message()));
  };
  spec.hooks.on_exception = [&](const std::exception_ptr& exception, std::string_view what,
                                int64_t attempt) {
    EXPECT_THROW(std::rethrow_exception(exception), std::runtime_error);
    EXPECT_THAT(std::string(what), HasSubstr("broken"));
    log.Add(absl::StrCat("exception ", attempt));
  };
  ResultOf(std::move(spec));
  EXPECT_THAT(log.Entries(), ElementsAre("exception 1", "error 2 down"));
}

TEST(Semantics, S6_AnErrorAfterAnExceptionIsTheLastFailure) {
  TaskSpec spec = Spec("task", [](TaskContext& context) -> absl::Status {
    if (context.attempt() == 1) throw std::runtime_error("broken");
    return Down();
  });
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.last_error, Down());
  EXPECT_EQ(result.last_exception, nullptr);
}

TEST(Semantics, S6_ThrowingTasksAreRestarted) {
  const SupervisionResult result = ResultOf(Spec("task", [](TaskContext& context) {
    if (context.attempt() < 20) throw Odd{};
  }));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 20);
}

TEST(Semantics, S7_CancelledWithoutAStopIsAFailure) {
  EventLog log;
  TaskSpec spec = Spec("task", [](TaskContext& context) {
    return context.attempt() < 3 ? absl::CancelledError("by the peer") : absl::OkStatus();
  });
  spec.hooks.on_error = [&log](const absl::Status& error, int64_t) { log.Add(error.ToString()); };
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 3);
  EXPECT_THAT(log.Entries(), ElementsAre("CANCELLED: by the peer", "CANCELLED: by the peer"));
}

TEST(Semantics, S7_EveryErrorCodeIsAFailure) {
  for (int code = 1; code <= 16; ++code) {
    // Each a status of its own; see AwaitResult.
    const auto make = [code] { return absl::Status(static_cast<absl::StatusCode>(code), "why"); };
    const absl::Status error = make();
    TaskSpec spec = Spec("task", make);
    spec.restart_policy = RestartPolicy::MaxAttempts(2);
    const SupervisionResult result = ResultOf(std::move(spec));
    EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached) << error;
    EXPECT_EQ(result.total_attempts, 2) << error;
    EXPECT_EQ(result.last_error, error);
  }
}

TEST(Semantics, S7_PayloadsOfAnErrorReachTheResult) {
  absl::Status error = absl::DataLossError("torn page");
  error.SetPayload("page", absl::Cord("17"));
  TaskSpec spec = Spec("task", [error] { return error; });
  spec.restart_policy = RestartPolicy::Never();
  EXPECT_EQ(ResultOf(std::move(spec)).last_error.GetPayload("page"), absl::Cord("17"));
}

// What becomes of a task that fails, throws, and succeeds, while one hook throws.
struct AfterThrowingHook {
  SupervisionResult result;
  int64_t hook_failures;
};

AfterThrowingHook RunWithHooks(TaskHooks hooks) {
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [](TaskContext& context) -> absl::Status {
    if (context.attempt() == 1) return Down();
    if (context.attempt() == 2) throw std::runtime_error("broken");
    return absl::OkStatus();
  });
  spec.hooks = std::move(hooks);
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  const SupervisionResult result = AwaitResult(handle);
  return {result, handle.info().hook_failures};
}

void ExpectHarmless(const AfterThrowingHook& outcome, int64_t hook_failures) {
  EXPECT_EQ(outcome.result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(outcome.result.total_attempts, 3);
  EXPECT_TRUE(outcome.result.last_error.ok());
  EXPECT_EQ(outcome.hook_failures, hook_failures);
}

TEST(Semantics, S8_ThrowingOnRestartIsReportedAndHarmless) {
  ExpectHarmless(RunWithHooks({.on_restart = [](int64_t) { throw std::logic_error("hook"); }}), 2);
}

TEST(Semantics, S8_ThrowingOnErrorIsReportedAndHarmless) {
  ExpectHarmless(RunWithHooks({.on_error = [](const absl::Status&,
                                              int64_t) { throw std::logic_error("hook"); }}),
                 1);
}

TEST(Semantics, S8_ThrowingOnExceptionIsReportedAndHarmless) {
  ExpectHarmless(RunWithHooks({.on_exception = [](const std::exception_ptr&, std::string_view,
                                                  int64_t) { throw std::logic_error("hook"); }}),
                 1);
}

TEST(Semantics, S8_ThrowingShouldRestartCountsAsTrue) {
  ExpectHarmless(RunWithHooks({.should_restart = [](int64_t, const absl::Status&) -> bool {
                   throw std::logic_error("hook");
                 }}),
                 2);
}

TEST(Semantics, S8_ThrowingCleanupIsReportedAndHarmless) {
  ExpectHarmless(RunWithHooks({.cleanup = [] { throw std::logic_error("hook"); }}), 1);
}

TEST(Semantics, S8_ThrowingSetupIsReported) {
  const AfterThrowingHook outcome =
      RunWithHooks({.setup = []() -> absl::Status { throw std::logic_error("hook"); }});
  EXPECT_EQ(outcome.result.final_status, SupervisionStatus::kSetupFailed);
  EXPECT_EQ(outcome.hook_failures, 1);
}

TEST(Semantics, S8_HooksThatAllThrowOddTypesStopNothing) {
  TaskSpec spec = Spec("task", [](TaskContext& context) -> absl::Status {
    if (context.attempt() == 20) return absl::OkStatus();
    if (context.attempt() % 2 == 0) throw Odd{};
    return Down();
  });
  spec.hooks.cleanup = [] { throw Odd{}; };
  spec.hooks.on_restart = [](int64_t) { throw 1; };
  spec.hooks.on_error = [](const absl::Status&, int64_t) { throw Mute(); };
  spec.hooks.on_exception = [](const std::exception_ptr&, std::string_view, int64_t) { throw 2; };
  spec.hooks.should_restart = [](int64_t, const absl::Status&) -> bool { throw std::bad_alloc(); };
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 20);
}

}  // namespace
}  // namespace foxtive::test
