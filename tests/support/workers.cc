// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/workers.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace foxtive::test {
namespace {

// Visits when it is destroyed, if it is the one that has not been moved from.
class VisitsWhenDestroyed {
 public:
  VisitsWhenDestroyed(Visit visit, std::string_view place)
      : visit_(std::move(visit)), place_(place) {}
  VisitsWhenDestroyed(const VisitsWhenDestroyed&) = default;
  VisitsWhenDestroyed(VisitsWhenDestroyed&& other) noexcept
      : visit_(std::exchange(other.visit_, nullptr)), place_(other.place_) {}
  ~VisitsWhenDestroyed() {
    if (visit_) visit_(place_);
  }

 private:
  Visit visit_;
  std::string_view place_;  // a literal
};

absl::Status TourRun(const Visit& visit, TaskContext& context) {
  visit("run");
  if (context.attempt() == 1) return absl::UnavailableError("first attempt");
  if (context.attempt() == 2) throw std::runtime_error("second attempt");
  // No lock, which would be locked for ever in a child that the visit has forked.
  std::atomic<bool> called_back{false};
  const std::stop_callback on_stop(context.stop_token(), [&] {
    visit("stop_callback");
    called_back = true;
  });
  context.SleepFor(absl::InfiniteDuration());
  const auto limit = std::chrono::steady_clock::now() + kSafetyLimit;
  while (!called_back) {
    if (std::chrono::steady_clock::now() > limit) DieWaitingFor("the stop callback");
    std::this_thread::yield();
  }
  return absl::OkStatus();
}

}  // namespace

std::function<void()> StuckWorker::Run() const {
  return [gate = gate_] {
    gate->entered.Notify();
    gate->released.Await("the test to release its worker");
  };
}

void AwaitState(const TaskHandle& handle, TaskState state) {
  const auto limit = std::chrono::steady_clock::now() + kSafetyLimit;
  while (handle.state() != state) {
    if (std::chrono::steady_clock::now() > limit) {
      DieWaitingFor(absl::StrCat(handle.name(), " to be in state ", static_cast<int>(state),
                                 "; it is in state ", static_cast<int>(handle.state())));
    }
    std::this_thread::yield();
  }
}

void AwaitRunning(const TaskHandle& handle) {
  const auto limit = std::chrono::steady_clock::now() + kSafetyLimit;
  while (true) {
    const TaskInfo info = handle.info();
    if (info.state == TaskState::kRunning && info.attempts > 0) return;
    if (std::chrono::steady_clock::now() > limit) {
      DieWaitingFor(absl::StrCat("an attempt of ", handle.name()));
    }
    std::this_thread::yield();
  }
}

TaskHooks LoggingHooks(EventLog& log) {
  return {.setup =
              [&log] {
                log.Add("setup");
                return absl::OkStatus();
              },
          .cleanup = [&log] { log.Add("cleanup"); },
          .on_restart = [&log](int64_t) { log.Add("on_restart"); },
          .on_error = [&log](const absl::Status&, int64_t) { log.Add("on_error"); },
          .on_exception = [&log](const std::exception_ptr&, std::string_view,
                                 int64_t) { log.Add("on_exception"); },
          .should_restart =
              [&log](int64_t, const absl::Status&) {
                log.Add("should_restart");
                return true;
              },
          .on_shutdown = [&log] { log.Add("on_shutdown"); }};
}

TaskSpec GrandTour(std::string name, Visit visit) {
  TaskHooks hooks{.setup =
                      [visit] {
                        visit("setup");
                        return absl::OkStatus();
                      },
                  .cleanup = [visit] { visit("cleanup"); },
                  .on_restart = [visit](int64_t) { visit("on_restart"); },
                  .on_error = [visit](const absl::Status&, int64_t) { visit("on_error"); },
                  .on_exception = [visit](const std::exception_ptr&, std::string_view,
                                          int64_t) { visit("on_exception"); },
                  .should_restart =
                      [visit](int64_t, const absl::Status&) {
                        visit("should_restart");
                        return true;
                      },
                  .on_shutdown = [visit] { visit("on_shutdown"); }};
  auto captured = std::make_unique<VisitsWhenDestroyed>(visit, "~captured");
  return {.name = std::move(name),
          .run = [visit, captured = std::move(captured)](
                     TaskContext& context) { return TourRun(visit, context); },
          .backoff = BackoffStrategy::Custom([visit](int64_t) {
            visit("backoff");
            return absl::ZeroDuration();
          }),
          .hooks = std::move(hooks)};
}

std::vector<std::string> GrandTourPlaces() {
  return {"setup",       "run",        "on_error",     "should_restart",
          "backoff",     "on_restart", "on_exception", "stop_callback",
          "on_shutdown", "cleanup",    "~captured"};
}

}  // namespace foxtive::test
