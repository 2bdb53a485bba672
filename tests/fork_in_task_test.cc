// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S22: the code of a task forks, or exits.

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/forked_child.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

// What becomes of a child that a worker forks and that goes on with `in_child`.
ChildResult ForkInRun(std::function<absl::Status(TaskContext&)> in_child) {
  std::optional<ChildResult> result;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle crash_loop = Submit(
      *supervisor,
      Spec("crash-loop",
           [] {  // Allocates nothing: not all sanitizers put their allocator in order for a child.
             return absl::Status(absl::StatusCode::kUnavailable, "");
           }));
  const TaskHandle forker = Submit(*supervisor, Spec("forker", [&](TaskContext& context) {
    const ForkedChild child;
    if (child.is_here()) return in_child(context);
    result = child.Await();
    return absl::OkStatus();
  }));
  EXPECT_EQ(AwaitResult(forker).final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(AwaitResult(forker).total_attempts, 1);
  EXPECT_TRUE(supervisor->Shutdown().ok());
  return *std::move(result);
}

TEST(Semantics, S22_AChildOfAWorkerMayExec) {
  EXPECT_THAT(ForkInRun([](TaskContext&) {
                execl("/bin/sh", "sh", "-c", "exit 7", nullptr);
                return absl::InternalError("execl");
              }),
              ForkedChildExited(7));
}

TEST(Semantics, S22_AChildOfAWorkerMayLeave) {
  EXPECT_THAT(ForkInRun([](TaskContext&) -> absl::Status { _exit(7); }), ForkedChildExited(7));
  EXPECT_THAT(ForkInRun([](TaskContext&) -> absl::Status { exit(7); }), ForkedChildExited(7));
}

bool exit_handler_has_run = false;

TEST(Semantics, S22_AChildThatReturnsFromRunEndsThere) {
  std::atexit([] {
    if (exit_handler_has_run) return;
    exit_handler_has_run = true;
    std::fputs("an exit handler has run\n", stderr);
  });
  const ChildResult succeeded = ForkInRun([](TaskContext&) { return absl::OkStatus(); });
  EXPECT_THAT(succeeded, ForkedChildExited(0));
  EXPECT_EQ(succeeded.output, "");
  EXPECT_THAT(ForkInRun([](TaskContext&) { return absl::InternalError("in the child"); }),
              ForkedChildExited(1));
  EXPECT_THAT(
      ForkInRun([](TaskContext&) -> absl::Status { throw std::runtime_error("in the child"); }),
      ForkedChildExited(1));
}

TEST(Semantics, S22_TheContextInAChildSaysNothing) {
  EXPECT_THAT(ForkInRun([](TaskContext& context) {
                Findings findings;
                findings.Expect(!context.SleepFor(absl::InfiniteDuration()), "SleepFor");
                findings.Expect(!context.stop_requested(), "stop_requested");
                findings.Expect(!context.stop_token().stop_possible(), "stop_token");
                context.MarkHealthy();
                findings.Expect(absl::IsFailedPrecondition(context.WaitReadable(0)),
                                "WaitReadable");
                std::mutex mutex;
                std::condition_variable_any condition;
                std::unique_lock lock(mutex);
                const absl::Status waited = context.Wait(condition, lock, [] { return false; });
                findings.Expect(absl::IsFailedPrecondition(waited), "Wait");
                const auto on_stop = context.OnStop([] {});
                findings.Expect(context.attempt() == 1 && context.name() == "forker", "the rest");
                _exit(findings.none() ? 0 : 1);
                return absl::OkStatus();
              }),
              ForkedChildPassed());
}

// Whatever part of a task forks: the child ends when it comes back from it, the parent goes on.
class ForkInside : public ::testing::TestWithParam<std::string> {};

TEST_P(ForkInside, S22_TheChildEndsAndTheTaskGoesOn) {
  Latch third_attempt(3);
  Notification forked;
  std::atomic<bool> done{false};
  std::optional<ChildResult> result;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle tour = Submit(*supervisor, GrandTour("tour", [&](std::string_view place) {
    if (place == "run") third_attempt.CountDown();
    if (place != GetParam() || done.exchange(true)) return;
    const ForkedChild child;
    if (child.is_here()) return;
    result = child.Await();
    forked.Notify();
  }));
  third_attempt.Await("the third attempt");
  tour.RequestStop();
  forked.Await("the fork");
  EXPECT_EQ(AwaitResult(tour).final_status, SupervisionStatus::kManuallyStopped);
  // Of these only `run` reports that it failed.
  EXPECT_THAT(*result, ForkedChildExited(GetParam() == "run" ? 1 : 0));
}

INSTANTIATE_TEST_SUITE_P(Semantics, ForkInside, ::testing::ValuesIn(GrandTourPlaces()),
                         [](const ::testing::TestParamInfo<std::string>& place) {
                           std::string name = place.param;
                           std::erase(name, '~');
                           return name;
                         });

// Its destructor is code of the user.
class NotingException : public std::exception {
 public:
  explicit NotingException(const std::function<void()>& destroyed)
      : destroyed_(nullptr, [destroyed](std::nullptr_t) { destroyed(); }) {}

 private:
  std::shared_ptr<void> destroyed_;
};

// Is told of the first failure, and goes on when the task has gone on.
class SlowListener final : public EventListener {
 public:
  explicit SlowListener(const Notification& gone_on) : gone_on_(gone_on) {}
  void OnEvent(const Event&) override { gone_on_.Await("the next attempt"); }

 private:
  const Notification& gone_on_;
};

// The task has forgotten the exception by then: the event was the last that had it. No other event
// comes meanwhile.
TEST(Semantics, S22_AChildOfAnExceptionThatGoesWithItsEventEnds) {
  Recorder<ChildResult> children;
  Notification gone_on;
  SupervisorOptions options;
  options.listener = std::make_shared<SlowListener>(gone_on);
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  TaskSpec spec = Spec("task", [&](TaskContext& context) -> absl::Status {
    if (context.attempt() > 1) return absl::UnavailableError("");
    throw NotingException([&] {
      const ForkedChild child;
      if (!child.is_here()) children.Add(child.Await());
    });
  });
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  spec.hooks.on_error = [&](const absl::Status&, int64_t) {
    gone_on.Notify();
    children.AwaitSize(1);
  };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  EXPECT_THAT(children.AwaitSize(1).front(), ForkedChildExited(0));
}

TEST(ForkInTaskProcess, DISABLED_ExitInAWorker) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  std::atexit([] { std::fputs("an exit handler has run\n", stdout); });
  Submit(*supervisor, Spec("exits", [] { exit(7); })).future().wait();
}

TEST(ForkInTaskProcess, AWorkerMayExit) {
  const ChildResult child = RunInChild("ForkInTaskProcess.DISABLED_ExitInAWorker");
  EXPECT_THAT(child, ForkedChildExited(7));
  EXPECT_THAT(child.output, ::testing::HasSubstr("an exit handler has run"));
}

}  // namespace
}  // namespace foxtive::test
