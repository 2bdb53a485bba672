// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a task tells of itself, without memory: its history, and where it is. no_memory_test.cc has
// the other calls.

#include <csignal>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "lib/shell/thread_setup.h"
#include "tests/support/fail_each.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

// It has no status to say so.
TEST(NoMemoryToldTest, AHistoryWithoutMemoryIsAnException) {
  Supervisor s;
  TaskSpec spec = Spec("task", [] { return absl::UnavailableError(std::string(100, 'a')); });
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  const TaskHandle task = Submit(s, std::move(spec));
  AwaitResult(task);
  const auto history = [&task] {
    try {
      const bool all = task.history().attempts.size() == 3;
      return all ? absl::OkStatus() : absl::InternalError("not all of them");
    } catch (const std::bad_alloc&) {
      return absl::Status(absl::StatusCode::kResourceExhausted, "");
    }
  };
  FailEachOf(absl::StatusCode::kOk, history, Nothing);
}

// One request at a time has its turn, and gives it back whatever happens.
TEST(NoMemoryToldTest, AStackWithoutMemoryKeepsNobodyWaiting) {
  if (internal::kThreadSanitizer) GTEST_SKIP() << "signals come late";
  const auto s = *Supervisor::Create({.listener = nullptr, .stack_signal = SIGURG});
  Notification runs;
  const TaskHandle task = Submit(*s, Spec("task", [&runs](TaskContext& context) {
    runs.Notify();
    context.SleepFor(absl::InfiniteDuration());
  }));
  runs.Await("the worker");
  FailEachOf(
      absl::StatusCode::kOk, [&task] { return task.CaptureStack(absl::Seconds(60)).status(); },
      Nothing);
  EXPECT_TRUE(task.RequestStop());
  AwaitResult(task);
}

}  // namespace
}  // namespace foxtive::test
