// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/attempt_watch.h"

#include <algorithm>
#include <utility>

#include "lib/shell/real_time.h"

namespace foxtive::internal {

std::unique_ptr<AttemptWatch> AttemptWatch::For(const TaskSpec& spec, absl::Duration stop_timeout) {
  constexpr absl::Duration kNone = absl::InfiniteDuration();
  if (spec.heartbeat_timeout == kNone && spec.run_timeout == kNone) return nullptr;
  const WatchLimits limits{.heartbeat_nanos = After(0, spec.heartbeat_timeout),
                           .run_nanos = After(0, spec.run_timeout)};
  if (!limits.any()) return nullptr;
  return std::make_unique<AttemptWatch>(limits, spec.on_stuck, stop_timeout);
}

bool AttemptWatch::Begin(uint32_t run_number, int64_t now) {
  began_ = now;
  run_number_ = run_number;
  missed_ = Missed::kNothing;
  beat_told_ = false;
  run_told_ = false;
  interrupted_ = false;
  lane_lost_ = false;
  const int64_t first_look = FirstLook(now);
  if (armed_for_ <= first_look) return false;
  armed_for_ = first_look;
  return true;
}

AttemptWatch::Ended AttemptWatch::End(int64_t now) {
  began_ = Clock::kNever;
  tell_due_ = false;
  return {.interrupted = interrupted_,
          .lane_lost = lane_lost_,
          .missed = missed_,
          .since_missed = absl::Nanoseconds(now - missed_at_),
          .lived_nanos = lived_nanos_};
}

int64_t AttemptWatch::FirstLook(int64_t now) const {
  return Later(runs() ? began_ : now, std::min(limits_.heartbeat_nanos, limits_.run_nanos));
}

StuckStep AttemptWatch::NextStep(int64_t resumed, int64_t now) {
  StuckStep step;
  if (interrupted_ && runs()) {
    step = AfterInterruption(now);
  } else if (runs()) {
    const WatchFacts facts{.began = began_,
                           .last_beat = last_beat_.load(std::memory_order_relaxed),
                           .resumed = resumed};
    step = on_stuck_ == OnStuck::kReport ? Report(facts, now) : Act(facts, now);
  }
  armed_for_ = step.look_again_nanos;
  return step;
}

// What is missed is told once: a run_timeout in an attempt, a heartbeat until there is one again,
// which is looked for once in a timeout.
StuckStep AttemptWatch::Report(const WatchFacts& facts, int64_t now) {
  const WatchLimits heartbeat{.heartbeat_nanos = limits_.heartbeat_nanos};
  if (LookAt(heartbeat, facts, now).missed == Missed::kNothing) beat_told_ = false;
  if (!beat_told_ && !run_told_) missed_ = Missed::kNothing;
  WatchLimits open = limits_;
  if (beat_told_) open.heartbeat_nanos = Clock::kNever;
  if (run_told_) open.run_nanos = Clock::kNever;
  const WatchLook look = LookAt(open, facts, now);
  if (look.missed == Missed::kNothing) {
    const int64_t beat_at = beat_told_ ? Later(now, limits_.heartbeat_nanos) : Clock::kNever;
    return {.look_again_nanos = std::min(look.next_nanos, beat_at)};
  }
  (look.missed == Missed::kHeartbeat ? beat_told_ : run_told_) = true;
  if (missed_ == Missed::kNothing) missed_at_ = now;
  missed_ = look.missed;
  return {.missed = look.missed, .look_again_nanos = now};  // the other one may be due as well
}

StuckStep AttemptWatch::Act(const WatchFacts& facts, int64_t now) {
  const WatchLook look = LookAt(limits_, facts, now);
  if (look.missed == Missed::kNothing) return {.look_again_nanos = look.next_nanos};
  missed_ = look.missed;
  missed_at_ = now;
  if (on_stuck_ == OnStuck::kAbort) return {.missed = missed_, .then = StuckStep::kAbortProcess};
  interrupted_ = true;
  lived_nanos_ = std::max(facts.last_beat, facts.began) - facts.began;
  tell_due_ = true;
  return {.missed = missed_,
          .then = StuckStep::kInterrupt,
          .look_again_nanos = After(now, stop_timeout_)};
}

// Its time to stop may be over.
StuckStep AttemptWatch::AfterInterruption(int64_t now) {
  const int64_t due = After(missed_at_, stop_timeout_);
  if (lane_lost_) return {};
  if (now < due) return {.look_again_nanos = due};
  if (on_stuck_ == OnStuck::kRestartOrGiveUp) return {.then = StuckStep::kGiveUp};
  lane_lost_ = true;
  return {.then = StuckStep::kReplaceLane, .run_number = run_number_};
}

bool AttemptWatch::BeginTelling() {
  telling_ = std::exchange(tell_due_, false);
  return telling_;
}

bool AttemptWatch::EndTelling() {
  telling_ = false;
  return std::exchange(wind_down_left_, false);
}

bool AttemptWatch::LeavesWindDown() {
  if (telling_) wind_down_left_ = true;
  return telling_;
}

}  // namespace foxtive::internal
