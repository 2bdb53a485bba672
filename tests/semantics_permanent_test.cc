// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Verdict row 4: an error that is permanent. And what a result says of the row that decided.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

// A task that returns `error` at its second attempt, and another error at all others.
TaskSpec FailsWith(absl::Status error) {
  return Spec("task", [error = std::move(error)](TaskContext& context) {
    if (context.attempt() == 2) return error;
    return context.attempt() < 5 ? absl::UnavailableError("down") : absl::OkStatus();
  });
}

SupervisionResult ResultOf(TaskSpec spec) {
  auto supervisor = MakeSupervisor();
  return AwaitResult(Submit(*supervisor, std::move(spec)));
}

void ExpectPermanent(const SupervisionResult& result) {
  EXPECT_EQ(result.final_status, SupervisionStatus::kRestartPrevented);
  EXPECT_EQ(result.total_attempts, 2);
  EXPECT_EQ(result.reason, "the error is permanent (verdict row 4)");
}

TEST(Semantics, Row4_ACodeAmongThePermanentErrorsEndsTheTask) {
  TaskSpec spec = FailsWith(absl::InvalidArgumentError("no such topic"));
  spec.permanent_errors = {absl::StatusCode::kNotFound, absl::StatusCode::kInvalidArgument};
  const SupervisionResult result = ResultOf(std::move(spec));
  ExpectPermanent(result);
  EXPECT_EQ(result.last_error, absl::InvalidArgumentError("no such topic"));
}

TEST(Semantics, Row4_OtherCodesAreTriedAgain) {
  TaskSpec spec = FailsWith(absl::InvalidArgumentError("no such topic"));
  spec.permanent_errors = {absl::StatusCode::kNotFound};
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 5);
}

TEST(Semantics, Row4_OneOccurrenceCanBeMarkedPermanent) {
  const SupervisionResult result =
      ResultOf(FailsWith(PermanentError(absl::UnavailableError("retired"))));
  ExpectPermanent(result);
  EXPECT_EQ(result.last_error.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(result.last_error.message(), "retired");
}

TEST(Semantics, Row4_AMarkedErrorIsPermanentWhateverThePolicy) {
  for (RestartPolicy policy : {RestartPolicy::Always(), RestartPolicy::MaxAttempts(2)}) {
    TaskSpec spec = FailsWith(PermanentError(absl::DataLossError("")));
    spec.restart_policy = policy;
    spec.restart_on = RestartOn::kAnyExit;
    ExpectPermanent(ResultOf(std::move(spec)));
  }
}

TEST(Semantics, Row4_OkStaysOk) { EXPECT_TRUE(PermanentError(absl::OkStatus()).ok()); }

TEST(Semantics, Row4_ShouldRestartIsNotAskedButOnErrorIsTold) {
  EventLog log;
  TaskSpec spec = FailsWith(PermanentError(absl::DataLossError("")));
  spec.hooks = LoggingHooks(log);
  ExpectPermanent(ResultOf(std::move(spec)));
  int told = 0, asked = 0;
  for (const std::string& entry : log.Entries()) {
    told += entry.starts_with("on_error") ? 1 : 0;
    asked += entry.starts_with("should_restart") ? 1 : 0;
  }
  EXPECT_EQ(told, 2);
  EXPECT_EQ(asked, 1);
}

// What was thrown has the code kUnknown too, but was not returned.
TEST(Semantics, Row4_ExceptionsAreNotLookedUp) {
  TaskSpec spec = Spec("task", [](TaskContext& context) {
    if (context.attempt() < 3) throw std::runtime_error("thrown");
  });
  spec.permanent_errors = {absl::StatusCode::kUnknown};
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 3);
}

TEST(Semantics, Row4_AStopComesFirst) {
  StuckWorker worker;
  auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [block = worker.Run()] {
    block();
    return PermanentError(absl::DataLossError(""));
  }));
  worker.AwaitEntered();
  EXPECT_TRUE(handle.RequestStop());
  worker.Release();
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(result.last_error.code(), absl::StatusCode::kDataLoss);
}

TEST(Semantics, Row4_ASetupThatIsRetriedCanFailForGood) {
  TaskSpec spec = Spec("task", [] {});
  spec.retry_setup = true;
  int calls = 0;
  spec.hooks.setup = [&calls]() -> absl::Status {
    if (++calls < 3) return absl::UnavailableError("not yet");
    return PermanentError(absl::PermissionDeniedError("wrong password"));
  };
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kRestartPrevented);
  EXPECT_EQ(result.total_attempts, 0);
  EXPECT_EQ(calls, 3);
}

TEST(Semantics, Row4_ASetupThatIsNotRetriedHasFailedByRow2) {
  TaskSpec spec = Spec("task", [] {});
  spec.hooks.setup = [] { return PermanentError(absl::PermissionDeniedError("")); };
  const SupervisionResult result = ResultOf(std::move(spec));
  EXPECT_EQ(result.final_status, SupervisionStatus::kSetupFailed);
  EXPECT_THAT(result.reason, HasSubstr("verdict row 2"));
}

// --- The reason, row by row; also through a future that was made before.

TEST(Semantics, TheResultNamesTheRow) {
  const auto fails = [] { return absl::UnavailableError("down"); };
  struct Row {
    const char* number;
    TaskSpec spec;
  };
  Row rows[] = {{"3", Spec("task", [] {})},
                {"5", Spec("task", fails)},
                {"6", Spec("task", fails)},
                {"7", Spec("task", fails)}};
  rows[1].spec.hooks.should_restart = [](int64_t, const absl::Status&) { return false; };
  rows[2].spec.restart_policy = RestartPolicy::Never();
  rows[3].spec.restart_policy = RestartPolicy::MaxAttempts(3);
  for (Row& row : rows) {
    EXPECT_THAT(ResultOf(std::move(row.spec)).reason,
                HasSubstr(std::string("verdict row ") + row.number));
  }
}

TEST(Semantics, TheResultSaysThatATaskWasStoppedOrAbandoned) {
  auto supervisor = MakeSupervisor();
  const TaskHandle registered = Register(*supervisor, Spec("registered", [] {}));
  StuckWorker worker;
  TaskSpec stuck = Spec("stuck", worker.Run());
  stuck.stop_timeout = absl::ZeroDuration();
  const TaskHandle abandoned = Submit(*supervisor, std::move(stuck));
  worker.AwaitEntered();
  EXPECT_TRUE(registered.RequestStop());
  EXPECT_TRUE(abandoned.RequestStop());
  EXPECT_THAT(AwaitResult(registered).reason, HasSubstr("verdict row 1"));
  const SupervisionResult result = AwaitResult(abandoned);
  EXPECT_THAT(result.reason, HasSubstr("not over when its time was up"));
  EXPECT_THAT(abandoned.TryResult()->reason, Eq(result.reason));
  worker.Release();
}

}  // namespace
}  // namespace foxtive::test
