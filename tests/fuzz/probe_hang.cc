// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Attempts that hang: whether one does, and what may come of it.
//
// The monitor looks when a tick is full: what is due within one may be missed or not.

#include <algorithm>

#include "absl/time/time.h"
#include "tests/fuzz/probe.h"

namespace foxtive::test {

void Probe::BeginAttempt() {
  began_ = last_beat_ = surroundings_.Now();
  missed_ = absl::InfiniteDuration();
  surely_missed_ = false;
}

void Probe::Beat(TaskContext& context) {
  surely_missed_ = HasMissed();
  if (MayHaveMissed()) missed_ = MissedAt();
  context.Heartbeat();
  last_beat_ = surroundings_.Now();
}

// What was missed before the last beat stays missed, if the monitor has looked in between.
absl::Duration Probe::MissedAt() const {
  return std::min({missed_, last_beat_ + plan_.heartbeat_timeout, began_ + plan_.run_timeout});
}

bool Probe::MayHaveMissed(absl::Duration after) const {
  return surroundings_.Now() + kSlack >= MissedAt() + after;
}

bool Probe::HasMissed() const {
  return surely_missed_ || surroundings_.Now() > MissedAt() + 2 * kTick;
}

bool Probe::MayBeStopped() const { return plan_.on_stuck != OnStuck::kReport && MayHaveMissed(); }

bool Probe::MayBeGivenUp() const {
  return may_have_been_given_up_ ||
         (inside_ == Hook::kRun && stop_timeout_.has_value() &&
          plan_.on_stuck == OnStuck::kRestartOrGiveUp && MayHaveMissed(*stop_timeout_));
}

// True: the attempt was asked to stop, and the task was not.
bool Probe::EndAttempt(const TaskContext& context) {
  const bool asked = context.stop_requested();
  Require(!asked || stops() || MayBeStopped(), "it was asked to stop, and has missed nothing");
  Require(asked || plan_.on_stuck == OnStuck::kReport || !HasMissed(),
          "it hangs, and was not asked to stop");
  may_have_been_given_up_ = MayBeGivenUp();
  const bool stopped = stops() || (handle_.valid() && handle_.state() != TaskState::kRunning);
  maybe_hung_ = stopped && MayBeStopped();
  hung_ = asked && !stopped;
  return hung_;
}

bool Probe::IsLastError(const absl::Status& error) const {
  if (hung_ || (maybe_hung_ && absl::IsDeadlineExceeded(error))) {
    return absl::IsDeadlineExceeded(error);
  }
  return error == last_error_;
}

void Probe::LookAtHang(const TaskInfo& info) const {
  if (inside_ != Hook::kRun) return;
  const bool known = info.stuck_for > absl::ZeroDuration();
  Require(!known || MayHaveMissed(), "it is said to hang");
  const bool hangs = missed_ == absl::InfiniteDuration() && HasMissed() && !stops();
  Require(known || !hangs, "it hangs, and nobody knows");
  const bool given_up = hangs && plan_.on_stuck == OnStuck::kRestartOrGiveUp &&
                        surroundings_.Now() > MissedAt() + *stop_timeout_ + 3 * kTick;
  Require(!given_up, "it hangs, and is not given up");
}

}  // namespace foxtive::test
