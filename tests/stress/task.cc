// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/stress/task.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/support/random.h"

namespace foxtive::test {
namespace {

// Made once: a status that a lane and the listener count the references of, in a build of Abseil
// that hides that from the thread sanitizer.
const absl::Status& ErrorOf(Outcome outcome) {
  static const auto& error = *new absl::Status(absl::UnavailableError("as it was written"));
  static const auto& permanent = *new absl::Status(absl::DataLossError("as it was written"));
  static const auto& none = *new absl::Status();
  if (outcome == Outcome::kOk) return none;
  return outcome == Outcome::kPermanentError ? permanent : error;
}

class StressTask {
 public:
  StressTask(std::shared_ptr<StressWorld> world, const Fate& fate)
      : world_(std::move(world)), fate_(fate) {
    ++world_->alive;
  }
  // A refused one has never lived.
  ~StressTask() {
    Log(What::kDestroyed, 0);
    --world_->alive;
  }

  absl::Status Setup() {
    const Inside inside(*this);
    Log(What::kSetup, ++setups_);
    return End(fate_.SetupOutcome(setups_));
  }

  absl::Status Run(TaskContext& context) {
    const Inside inside(*this);
    Log(What::kRunBegins, context.attempt());
    Behave(context);
    Log(What::kRunEnds, context.attempt());
    return End(fate_.OutcomeOf(context.attempt()));
  }

  void Hook(What what, int64_t attempt) {
    const Inside inside(*this);
    Log(what, attempt);
    if (fate_.hooks_throw) throw std::runtime_error("a hook");
  }

  // The one that may come beside `run`.
  void OnShutdown() { Log(What::kOnShutdown, 0); }

 private:
  // One at a time of a task.
  class Inside {
   public:
    explicit Inside(StressTask& task) : task_(task) {
      if (task_.inside_.exchange(true, std::memory_order_relaxed)) task_.Log(What::kOverlap, 0);
    }
    ~Inside() { task_.inside_.store(false, std::memory_order_relaxed); }

   private:
    StressTask& task_;
  };

  void Log(What what, int64_t attempt) { world_->log.Add(fate_.number, what, attempt); }

  void Behave(TaskContext& context) {
    const int64_t attempt = context.attempt();
    if (!fate_.LeavesCallback(attempt)) return Act(context);
    // Here, so that a call of the callback after its destruction is a fault for the sanitizers.
    Notification called;
    const bool stopped = context.stop_requested();
    Log(What::kCallbackLeft, attempt);
    {
      const auto on_stop = context.OnStop([this, attempt, &called] {
        Log(What::kCallbackCalled, attempt);
        called.Notify();
        if (fate_.hooks_throw) throw std::runtime_error("a callback");
      });
      Log(What::kCallbackMade, stopped ? 1 : 0);
      if (fate_.ConductOf(attempt) == Conduct::kAwaitsCallback) {
        called.Await("the callback of a task that was asked to stop");
      } else {
        Act(context);
      }
    }
    Log(What::kCallbackGone, attempt);
  }

  void AwaitDescriptor(const TaskContext& context) {
    const Box box(world_->boxes);
    Log(What::kWaits, context.stop_requested() ? 1 : 0);
    const absl::Status status =
        context.WaitReadable(box.descriptor(), fate_.PatienceOf(context.attempt()));
    LogWaited(status, box.TakeFromDescriptor(), context);
  }

  void AwaitCondition(const TaskContext& context) {
    Box box(world_->boxes);
    Log(What::kWaits, context.stop_requested() ? 1 : 0);
    std::unique_lock lock(box.mutex);
    const absl::Status status = context.Wait(
        box.changed, lock, [&box] { return box.full; }, fate_.PatienceOf(context.attempt()));
    LogWaited(status, box.full, context);
  }

  void LogWaited(const absl::Status& status, bool there, const TaskContext& context) {
    Log(What::kWaited,
        NumberOf(
            Waited{.code = status.code(), .there = there, .stopped = context.stop_requested()}));
  }

  void Act(TaskContext& context) {
    switch (fate_.ConductOf(context.attempt())) {
      case Conduct::kNothing:
        return;
      case Conduct::kYields:
        for (int i = 0; i < 5; ++i) std::this_thread::yield();
        context.Heartbeat();
        return;
      case Conduct::kNaps:
        context.SleepFor(absl::Microseconds(200));
        return;
      case Conduct::kWaits:
        context.SleepFor(absl::InfiniteDuration());
        return;
      case Conduct::kAwaitsDescriptor:
        return AwaitDescriptor(context);
      case Conduct::kAwaitsCondition:
        return AwaitCondition(context);
      case Conduct::kAwaitsCallback:  // it is there, and is waited for where it is
        return;
      case Conduct::kIsDeaf:
        world_->released.Await("the end of the stress test");
        return;
      case Conduct::kStops:
        world_->stop_one();
        return;
      case Conduct::kSubmits:
        world_->submit_one();
        return;
    }
  }

  static absl::Status End(Outcome outcome) {
    if (outcome == Outcome::kException) throw std::runtime_error("as it was written");
    return ErrorOf(outcome);
  }

  const std::shared_ptr<StressWorld> world_;
  const Fate fate_;
  std::atomic<bool> inside_{false};
  int64_t setups_ = 0;  // a lane's
};

}  // namespace

TaskSpec MakeStressSpec(const std::shared_ptr<StressWorld>& world, const Fate& fate) {
  const auto task = std::make_shared<StressTask>(world, fate);
  TaskSpec spec;
  spec.name = fate.name;
  spec.run = [task](TaskContext& context) { return task->Run(context); };
  spec.restart_policy = fate.limit < 0    ? RestartPolicy::Always()
                        : fate.limit == 0 ? RestartPolicy::Never()
                                          : RestartPolicy::MaxAttempts(fate.limit);
  spec.backoff = BackoffStrategy::Constant(fate.delay);
  spec.restart_on = fate.any_exit ? RestartOn::kAnyExit : RestartOn::kFailure;
  spec.permanent_errors = {absl::StatusCode::kDataLoss};
  spec.initial_delay = fate.initial_delay;
  spec.stable_after = absl::InfiniteDuration();
  spec.retry_setup = fate.retries_setup;
  spec.stop_timeout = fate.stop_timeout;
  spec.stop_order = fate.stop_order;
  if (fate.watched) spec.heartbeat_timeout = absl::Milliseconds(2);
  spec.on_stuck = OnStuck::kRestart;
  TaskHooks& hooks = spec.hooks;
  if (fate.has_setup) hooks.setup = [task] { return task->Setup(); };
  hooks.cleanup = [task] { task->Hook(What::kCleanup, 0); };
  hooks.on_shutdown = [task] { task->OnShutdown(); };
  if (!fate.has_hooks) return spec;
  hooks.on_restart = [task](int64_t attempt) { task->Hook(What::kOnRestart, attempt); };
  hooks.on_error = [task](const absl::Status&, int64_t attempt) {
    task->Hook(What::kOnError, attempt);
  };
  hooks.on_exception = [task](const std::exception_ptr&, std::string_view, int64_t attempt) {
    task->Hook(What::kOnException, attempt);
  };
  hooks.should_restart = [task, fate](int64_t attempt, const absl::Status&) {
    task->Hook(What::kShouldRestart, attempt);
    return fate.MayRestart(attempt);
  };
  return spec;
}

}  // namespace foxtive::test
