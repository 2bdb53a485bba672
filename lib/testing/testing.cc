// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/testing.h"

#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "lib/shell/real_time.h"
#include "lib/testing/simulation.h"

namespace foxtive::testing {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "foxtive/testing.h: %s\n", message.c_str());
  std::abort();
}

}  // namespace

// --- SimulatedTime.

using internal::Simulation;

SimulatedTime::SimulatedTime()
    : simulation_(std::make_shared<Simulation>(std::make_unique<Simulation::Chooser>())) {}

SimulatedTime::~SimulatedTime() {
  if (simulation_->is_caller()) AdvanceBy(absl::ZeroDuration());
}

std::shared_ptr<Clock> SimulatedTime::clock() const { return simulation_; }

void SimulatedTime::AdvanceBy(absl::Duration duration) {
  const int64_t until = internal::After(simulation_->NowNanos(), duration);
  if (duration < absl::ZeroDuration() || until == Clock::kNever) {
    Die(absl::StrCat("AdvanceBy: duration is ", absl::FormatDuration(duration),
                     ", and must be finite and not negative"));
  }
  simulation_->AdvanceTo(until);
}

absl::Duration SimulatedTime::elapsed() const {
  return absl::Nanoseconds(simulation_->NowNanos() - Simulation::kStartNanos);
}

// --- ScriptedWorker.

struct ScriptedWorker::State {
  struct Step {
    int64_t times = 1;
    absl::Duration takes{};
    absl::Status error{};  // OK: success
    std::string what{};    // of what is thrown
    bool throws = false;
  };

  void Add(Step step) {
    if (step.times <= 0) Die(absl::StrCat("times is ", step.times, ", and must be at least 1"));
    step.takes = step.takes + takes;
    steps.push_back(std::move(step));
  }

  // The one that this call makes.
  const Step& Next() {
    ++calls;
    if (done == steps[position].times && position + 1 < steps.size()) {
      ++position;
      done = 0;
    }
    if (done < steps[position].times) ++done;  // else the last one goes on for ever
    return steps[position];
  }

  std::vector<Step> steps;
  absl::Duration takes;  // of the steps to come
  size_t position = 0;
  int64_t done = 0;  // of the step at `position`
  int64_t calls = 0;
};

ScriptedWorker::ScriptedWorker() : state_(std::make_shared<State>()) {}

ScriptedWorker Script() { return ScriptedWorker(); }

ScriptedWorker& ScriptedWorker::ThenSucceedTimes(int64_t times) {
  state_->Add({.times = times});
  return *this;
}

ScriptedWorker& ScriptedWorker::ThenFailTimes(int64_t times, absl::Status error) {
  if (error.ok()) Die("error is OK, and must be an error");
  state_->Add({.times = times, .error = std::move(error)});
  return *this;
}

ScriptedWorker& ScriptedWorker::ThenThrowTimes(int64_t times, std::string what) {
  state_->Add({.times = times, .what = std::move(what), .throws = true});
  return *this;
}

ScriptedWorker& ScriptedWorker::ThenRunUntilStopped() {
  state_->Add({.takes = absl::InfiniteDuration()});
  return *this;
}

ScriptedWorker& ScriptedWorker::EachTaking(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) {
    Die(absl::StrCat("EachTaking: duration is ", absl::FormatDuration(duration),
                     ", and must not be negative"));
  }
  state_->takes = duration;
  return *this;
}

absl::Status ScriptedWorker::operator()(TaskContext& context) const {
  const std::shared_ptr<State> state = state_;
  if (state->steps.empty()) state->Add({});
  const State::Step step = state->Next();
  if (step.takes > absl::ZeroDuration() && !context.SleepFor(step.takes)) return absl::OkStatus();
  if (step.throws) throw std::runtime_error(step.what);
  return step.error;
}

int64_t ScriptedWorker::calls() const { return state_->calls; }

// --- RecordedEvent.

RecordedEvent::RecordedEvent(const Event& event)
    : kind(event.kind),
      task_name(event.task_name),
      attempt(event.attempt),
      status(event.status),
      delay(event.delay),
      reason(event.reason),
      uptime(event.uptime),
      final_status(event.final_status),
      folded(event.folded),
      lost(event.lost),
      text(ToString(event)) {}

void PrintTo(const RecordedEvent& event, std::ostream* out) { *out << event.text; }

}  // namespace foxtive::testing
