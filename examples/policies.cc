// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A tour of what a TaskSpec can say: each restart policy, backoff strategy and hook, what ends a
// task for good, and what counts as healthy. One function for each topic; policies.txt is what they
// print.
//
// The tour checks itself: each task is shown with a claim of how it ends, and the exit status is 1
// if one ended otherwise. No claim depends on how fast anything is.

#include <cstdint>
#include <exception>
#include <iostream>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "foxtive/supervisor.h"

namespace {

using foxtive::BackoffStrategy;
using foxtive::RestartPolicy;
using foxtive::SupervisionStatus;
using foxtive::Supervisor;
using foxtive::TaskContext;
using enum foxtive::SupervisionStatus;

constexpr absl::Duration kMs = absl::Milliseconds(1);

bool all_as_claimed = true;

void Expect(bool claim, std::string_view text) {
  if (claim) return;
  std::cout << "  NOT AS CLAIMED: " << text << "\n";
  all_as_claimed = false;
}

void Heading(std::string_view text) { std::cout << "\n" << text << "\n"; }

// How a task ended, and how it should have.
void Report(const foxtive::SupervisionResult& result, SupervisionStatus end, int64_t attempts) {
  std::cout << "  " << result.task_name << ": " << result.final_status
            << ", attempts: " << result.total_attempts << "; " << result.reason;
  if (!result.last_error.ok()) std::cout << "; last error: " << result.last_error;
  std::cout << "\n";
  Expect(result.final_status == end, "how it ended");
  Expect(result.total_attempts == attempts, "how many attempts it had");
}

// Runs a task until it is over. Between attempts it waits for a millisecond.
foxtive::SupervisionResult Show(Supervisor& supervisor, SupervisionStatus end, int64_t attempts,
                                foxtive::TaskSpec spec) {
  spec.backoff = BackoffStrategy::Constant(kMs);
  const foxtive::TaskHandle task = supervisor.Submit(std::move(spec)).value();
  foxtive::SupervisionResult result = task.Wait().value();
  Report(result, end, attempts);
  return result;
}

absl::Status Fail() { return absl::UnavailableError("no route"); }

absl::Status FailTwice(TaskContext& context) {
  return context.attempt() <= 2 ? Fail() : absl::OkStatus();
}

void RestartPolicies(Supervisor& supervisor) {
  Heading("RestartPolicy: how often a failed task is started again");
  Show(supervisor, kManuallyStopped, 1,
       {.name = "Never", .run = Fail, .restart_policy = RestartPolicy::Never()});
  Show(supervisor, kMaxAttemptsReached, 3,
       {.name = "MaxAttempts(3)", .run = Fail, .restart_policy = RestartPolicy::MaxAttempts(3)});
  Show(supervisor, kCompletedNormally, 3,
       {.name = "Always", .run = FailTwice, .restart_policy = RestartPolicy::Always()});
}

// By failures in a row; with jitter, the range of each.
std::string DelaysOf(const BackoffStrategy& backoff) {
  std::string delays;
  for (int64_t failures = 1; failures <= 5; ++failures) {
    delays += " " + absl::FormatDuration(backoff.Delay(failures, 0));
    if (backoff.jitter() > 0) delays += "-" + absl::FormatDuration(backoff.Delay(failures, 1));
  }
  return delays;
}

// Says what the delays are, and has a task wait the first four of them.
void ShowDelays(Supervisor& supervisor, const BackoffStrategy& backoff, std::string_view claim) {
  std::cout << "  " << backoff << ":" << DelaysOf(backoff) << "\n";
  Expect(DelaysOf(backoff) == claim, "the delays");

  const auto task = supervisor.Submit({.name = "fails five times",
                                       .run = Fail,
                                       .restart_policy = RestartPolicy::MaxAttempts(5),
                                       .backoff = backoff});
  absl::Duration sum;
  for (int64_t failures = 1; failures <= 4; ++failures) sum += backoff.Delay(failures, 0);
  Expect(task->Wait().value().elapsed >= sum, "no attempt begins before its time");
}

void BackoffStrategies(Supervisor& supervisor) {
  Heading("BackoffStrategy: the delay before that, after 1, 2, 3 ... failures in a row");
  ShowDelays(supervisor, BackoffStrategy::Constant(3 * kMs), " 3ms 3ms 3ms 3ms 3ms");
  ShowDelays(supervisor, BackoffStrategy::Exponential(kMs, 6 * kMs), " 1ms 2ms 4ms 6ms 6ms");
  ShowDelays(supervisor, BackoffStrategy::Linear(kMs, 2 * kMs, 8 * kMs), " 1ms 3ms 5ms 7ms 8ms");
  ShowDelays(supervisor, BackoffStrategy::Fibonacci(kMs, 4 * kMs), " 1ms 1ms 2ms 3ms 4ms");
  ShowDelays(supervisor, BackoffStrategy::Custom([](int64_t failures) {
               return failures <= 3 ? absl::ZeroDuration() : 9 * kMs;
             }),
             " 0 0 0 9ms 9ms");
  // For many that lose the same peer, so that they do not all come back at once.
  ShowDelays(supervisor, BackoffStrategy::Exponential(4 * kMs, 32 * kMs).WithJitter(0.25),
             " 3ms-5ms 6ms-10ms 12ms-20ms 24ms-32ms 24ms-32ms");
}

void Successes(Supervisor& supervisor) {
  Heading("RestartOn: whether a task that returned OK is started again");
  const auto succeed_twice = [](TaskContext& context) {
    if (context.attempt() <= 2) return absl::OkStatus();
    return foxtive::PermanentError(absl::NotFoundError("no more work"));
  };
  Show(supervisor, kCompletedNormally, 1, {.name = "kFailure", .run = succeed_twice});
  Show(supervisor, kRestartPrevented, 3,
       {.name = "kAnyExit", .run = succeed_twice, .restart_on = foxtive::RestartOn::kAnyExit});
}

void ErrorsForGood(Supervisor& supervisor) {
  Heading("Errors that another attempt can't help: no policy restarts after these");
  Show(supervisor, kRestartPrevented, 1,
       {.name = "permanent_errors",  // these codes, whenever they come
        .run = [] { return absl::PermissionDeniedError("wrong password"); },
        .permanent_errors = {absl::StatusCode::kPermissionDenied}});
  Show(supervisor, kRestartPrevented, 1,
       {.name = "PermanentError",  // this one, this time
        .run = [] { return foxtive::PermanentError(absl::NotFoundError("no such topic")); }});
  Show(supervisor, kRestartPrevented, 2,
       {.name = "should_restart",  // your code decides
        .run = Fail,
        .hooks = {
            .should_restart = [](int64_t attempt, const absl::Status&) { return attempt < 2; }}});
}

void Setups(Supervisor& supervisor) {
  Heading("retry_setup: whether a setup that failed is tried again");
  Show(supervisor, kSetupFailed, 0, {.name = "false", .run = [] {}, .hooks = {.setup = Fail}});
  const auto fail_twice = [count = 0]() mutable {
    return ++count <= 2 ? Fail() : absl::OkStatus();
  };
  Show(supervisor, kCompletedNormally, 1,
       {.name = "true", .run = [] {}, .retry_setup = true, .hooks = {.setup = fail_twice}});
}

// Every hook, in the form of a class; TaskHooks has them as callables: `on_error`, and so on.
class AllHooks : public foxtive::SupervisedTask {
 public:
  std::string name() const override { return "all hooks"; }
  BackoffStrategy backoff_strategy() const override { return BackoffStrategy::Constant(kMs); }

  absl::Status Run(TaskContext& context) override {
    Called("Run");
    if (context.attempt() == 1) return Fail();
    if (context.attempt() == 2) throw std::runtime_error("out of paper");
    blocks.count_down();
    released_.wait();
    return absl::OkStatus();
  }
  void OnShutdown() override {  // beside a `Run` that blocks, to make it return
    Called("OnShutdown");
    released_.count_down();
  }

  absl::Status Setup() override {
    Called("Setup");
    return absl::OkStatus();
  }
  void Cleanup() override { Called("Cleanup"); }
  void OnRestart(int64_t) override { Called("OnRestart"); }
  void OnError(const absl::Status&, int64_t) override { Called("OnError"); }
  void OnException(const std::exception_ptr&, std::string_view, int64_t) override {
    Called("OnException");
  }
  bool ShouldRestart(int64_t, const absl::Status&) override {
    Called("ShouldRestart");
    return true;
  }

  std::latch blocks{1};
  std::string calls;

 private:
  void Called(std::string_view what) { calls.append(" ").append(what); }

  std::latch released_{1};
};

void Hooks(Supervisor& supervisor) {
  Heading("Hooks: of a task that fails, throws, blocks, and is stopped then");
  const auto object = std::make_shared<AllHooks>();
  const foxtive::TaskHandle task = supervisor.Submit(object).value();
  object->blocks.wait();
  task.RequestStop();
  Report(task.Wait().value(), kManuallyStopped, 3);
  std::cout << "  calls:" << object->calls << "\n";
  Expect(object->calls ==
             " Setup Run OnError ShouldRestart OnRestart Run OnException ShouldRestart"
             " OnRestart Run OnShutdown Cleanup",
         "the order of the calls");
}

void FirstAttempts(Supervisor& supervisor) {
  Heading("initial_delay: the first attempt waits as well");
  const auto result = Show(supervisor, kCompletedNormally, 1,
                           {.name = "10 ms", .run = [] {}, .initial_delay = 10 * kMs});
  Expect(result.elapsed >= 10 * kMs, "it has waited");
}

void HealthyRuns(Supervisor& supervisor) {
  Heading("Healthy runs: failures count from 1 again; these tasks end with two in a row");
  const RestartPolicy policy = RestartPolicy::MaxAttempts(2);
  const auto work = [](TaskContext& context) {
    context.SleepFor(2 * kMs);
    return FailTwice(context);
  };
  const auto say_so = [](TaskContext& context) {
    context.MarkHealthy();
    return FailTwice(context);
  };
  Show(supervisor, kMaxAttemptsReached, 2,
       {.name = "stable_after 60 s, the default", .run = work, .restart_policy = policy});
  Show(supervisor, kCompletedNormally, 3,
       {.name = "stable_after 2 ms",
        .run = work,
        .restart_policy = policy,
        .stable_after = 2 * kMs});
  Show(supervisor, kCompletedNormally, 3,
       {.name = "MarkHealthy", .run = say_so, .restart_policy = policy});
}

}  // namespace

int main() {
  // No listener: all that happens is printed here.
  const auto supervisor = Supervisor::Create({.listener = nullptr}).value();
  RestartPolicies(*supervisor);
  BackoffStrategies(*supervisor);
  Successes(*supervisor);
  ErrorsForGood(*supervisor);
  Setups(*supervisor);
  Hooks(*supervisor);
  FirstAttempts(*supervisor);
  HealthyRuns(*supervisor);
  return all_as_claimed ? 0 : 1;
}
