// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A program of somebody else's, with every public header: its classes are called by the library,
// and exceptions go through it in both directions. tests/consumers.sh builds it in all ways there
// are.

#include <atomic>
#include <cstdint>
#include <exception>
#include <future>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/clock.h"
#include "foxtive/condition_wait.h"
#include "foxtive/event_listener.h"
#include "foxtive/restart_policy.h"
#include "foxtive/run_function.h"
#include "foxtive/shutdown_report.h"
#include "foxtive/signals.h"
#include "foxtive/spawn.h"
#include "foxtive/stack_trace.h"
#include "foxtive/stop_callback.h"
#include "foxtive/supervised_task.h"
#include "foxtive/supervision_result.h"
#include "foxtive/supervisor.h"
#include "foxtive/task_context.h"
#include "foxtive/task_handle.h"
#include "foxtive/task_history.h"
#include "foxtive/task_info.h"
#include "foxtive/task_spec.h"
#include "foxtive/version.h"

namespace {

int failures = 0;

void Check(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "border.cc: it does not hold: " << what << std::endl;
  ++failures;
}

// What the library has to carry unchanged: a type that it has never seen, with a payload.
struct LineBroken : std::runtime_error {
  explicit LineBroken(int number) : std::runtime_error("the line is broken"), line(number) {}
  const int line;
};

int BrokenLine(const std::exception_ptr& exception) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const LineBroken& broken) {
    return broken.line;
  }
  return 0;
}

// What the other side has seen, since the object itself is destroyed with its task.
struct Seen {
  std::atomic<int> line = 0;
  std::atomic<int> attempts = 0;
  std::atomic<bool> cleaned_up = false;
  std::atomic<bool> destroyed = false;
};

class Feed : public foxtive::SupervisedTask {
 public:
  explicit Feed(Seen& seen) : seen_(seen) {}
  ~Feed() override { seen_.destroyed = true; }

  std::string name() const override { return "feed"; }
  foxtive::RestartPolicy restart_policy() const override {
    return foxtive::RestartPolicy::MaxAttempts(3);
  }
  foxtive::BackoffStrategy backoff_strategy() const override {
    return foxtive::BackoffStrategy::Custom([](int64_t) { return absl::ZeroDuration(); });
  }
  absl::Status Run(foxtive::TaskContext& context) override {
    seen_.attempts = static_cast<int>(context.attempt());
    throw LineBroken(4711);
  }
  void OnException(const std::exception_ptr& exception, std::string_view, int64_t) override {
    seen_.line = BrokenLine(exception);
  }
  void Cleanup() override { seen_.cleaned_up = true; }

 private:
  Seen& seen_;
};

class Nameless : public foxtive::SupervisedTask {
 public:
  std::string name() const override { throw LineBroken(12); }
  absl::Status Run(foxtive::TaskContext&) override { return absl::OkStatus(); }
};

class Ends : public foxtive::EventListener {
 public:
  void OnEvent(const foxtive::Event& event) override {
    if (event.kind == foxtive::EventKind::kTaskOver) ++count;
  }
  std::atomic<int> count = 0;
};

// Real time, and it is seen whether the library asks.
class AskedClock : public foxtive::Clock {
 public:
  int64_t NowNanos() const noexcept override {
    asked = true;
    return Clock::NowNanos();
  }
  mutable std::atomic<bool> asked = false;
};

template <typename T>
std::string Printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

void CheckValues() {
  const auto backoff = foxtive::BackoffStrategy::Exponential(absl::Seconds(1), absl::Seconds(8));
  Check(backoff.Delay(3) == absl::Seconds(4), "the third delay is 4 s");
  Check(backoff.WithJitter(2).Validate().code() == absl::StatusCode::kInvalidArgument,
        "a jitter of 200 % is refused");
  Check(Printed(foxtive::RestartPolicy::Never()) == ToString(foxtive::RestartPolicy::Never()),
        "a policy is printed");
  Check(Printed(foxtive::TaskState::kQueued) == "kQueued", "a state is printed");
  Check(!foxtive::RunFunction(nullptr), "a null pointer is no worker");
  Check(!foxtive::TaskHandle().valid(), "a default handle is not valid");
  Check(foxtive::PermanentError(absl::DataLossError("")).code() == absl::StatusCode::kDataLoss,
        "a permanent error keeps its code");
  Check(foxtive::kVersion == std::to_string(FOXTIVE_VERSION_MAJOR) + "." +
                                 std::to_string(FOXTIVE_VERSION_MINOR) + "." +
                                 std::to_string(FOXTIVE_VERSION_PATCH),
        "the version is one");
}

void CheckExceptions(foxtive::Supervisor& supervisor) {
  Seen seen;
  const foxtive::TaskHandle feed = supervisor.Submit(std::make_shared<Feed>(seen)).value();
  const foxtive::SupervisionResult result = feed.Wait().value();
  Check(result.final_status == foxtive::SupervisionStatus::kMaxAttemptsReached, Printed(result));
  Check(seen.attempts == 3, "it has run three times");
  Check(seen.line == 4711, "OnException has got what Run threw");
  Check(BrokenLine(result.last_exception) == 4711, "so has the result");
  Check(BrokenLine(feed.future().get().last_exception) == 4711, "so has the future");
  Check(seen.cleaned_up && seen.destroyed, "the object is gone");

  try {
    foxtive::MakeTaskSpec(std::make_shared<Nameless>());
    Check(false, "name() throws");
  } catch (const LineBroken& broken) {
    Check(broken.line == 12, "what name() throws comes through MakeTaskSpec");
  }
  Check(supervisor.Submit(std::make_shared<Nameless>()).status().code() ==
            absl::StatusCode::kInvalidArgument,
        "Submit makes a status of it");
}

void CheckCallbacks(foxtive::Supervisor& supervisor) {
  std::promise<std::string> finished;
  foxtive::TaskSpec spec{.name = "waits"};
  spec.run = [](foxtive::TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); };
  const foxtive::TaskHandle waits = supervisor.Submit(std::move(spec)).value();
  const absl::Status asked =
      waits.OnFinished([&finished](const foxtive::SupervisionResult& result) {
        finished.set_value(result.task_name);
      });
  Check(asked.ok(), asked.ToString());
  Check(waits.info().name == "waits", Printed(waits.info()));
  Check(waits.RequestStop(), "it is asked to stop");
  Check(finished.get_future().get() == "waits", "OnFinished is called");

  Check(supervisor
            .RegisterAll(foxtive::Specs(foxtive::TaskSpec{.name = "one", .run = [] {}},
                                        foxtive::TaskSpec{.name = "two", .run = [] {}}))
            .ok(),
        "two tasks are registered");
  Check(supervisor.StartAll().ok(), "and started");
  Check(supervisor.WaitAll().value().size() == 2, "and end");
}

}  // namespace

int main() {
  CheckValues();
  const auto clock = std::make_shared<AskedClock>();
  const auto ends = std::make_shared<Ends>();
  {
    foxtive::SupervisorOptions options;
    options.listener = ends;
    options.clock = clock;
    const auto supervisor = foxtive::Supervisor::Create(std::move(options)).value();
    CheckExceptions(*supervisor);
    CheckCallbacks(*supervisor);
  }
  Check(clock->asked, "the clock is the program's");
  Check(ends->count == 4, "the listener is told of four ends");

  const foxtive::TaskHandle spawned = foxtive::SpawnSupervised("spawned", [] {}).value();
  Check(spawned.Wait()->final_status == foxtive::SupervisionStatus::kCompletedNormally, "it ends");
  Check((*foxtive::Supervisor::Default())->Shutdown().ok(), "all has ended");
  if (failures == 0) std::cout << "border: ok, " << foxtive::kVersion << std::endl;
  return failures == 0 ? 0 : 1;
}
