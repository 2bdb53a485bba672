// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/fuzz/task_plan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <utility>

namespace foxtive::test {
namespace {

// What is asked of all of them is that a name is not empty and has no control character.
bool IsGoodName(const std::string& name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

RestartOn MakeRestartOn(Input& input) {
  const size_t value = input.Below(16);
  if (value == 15) return static_cast<RestartOn>(2 + input.Below(254));
  return value % 3 == 0 ? RestartOn::kAnyExit : RestartOn::kFailure;
}

// Mostly one that may be, at times any.
absl::Duration MakeDuration(Input& input, absl::Duration usual) {
  switch (input.Below(8)) {
    case 0:
      return AnyDuration(input);
    case 1:
    case 2:
      return UsualDuration(input);
    default:
      return usual;
  }
}

void MakeLimits(Input& input, TaskPlan& plan) {
  if (input.Below(12) == 0) {
    plan.permanent_errors.insert(static_cast<absl::StatusCode>(input.Below(20)));
  }
  plan.stable_after = MakeDuration(input, absl::Seconds(60));
  plan.initial_delay = MakeDuration(input, absl::ZeroDuration());
  if (input.Bool()) plan.stop_timeout = MakeDuration(input, absl::Seconds(5));
}

int MakeStopOrder(Input& input) {
  constexpr std::array kOrders = {-1, 1, 2, std::numeric_limits<int>::min(),
                                  std::numeric_limits<int>::max()};
  return kOrders[input.Below(kOrders.size())];
}

void MakeWatch(Input& input, TaskPlan& plan) {
  for (absl::Duration* timeout : {&plan.heartbeat_timeout, &plan.run_timeout}) {
    *timeout = input.Bool() ? UsualDuration(input) : MakeDuration(input, *timeout);
  }
  // But for kAbort, which would be taken for a finding.
  constexpr std::array kGood = {OnStuck::kRestart, OnStuck::kRestartOrGiveUp, OnStuck::kReport};
  const size_t value = input.Below(16);
  plan.on_stuck = value == 15 ? static_cast<OnStuck>(4 + input.Below(252)) : kGood[value % 3];
  // A heartbeat is looked for once in a timeout, and workers are deaf for days.
  constexpr absl::Duration kLeast = absl::Seconds(10);
  const bool looks_on =
      plan.on_stuck == OnStuck::kReport && plan.heartbeat_timeout > absl::ZeroDuration();
  if (looks_on) plan.heartbeat_timeout = std::max(plan.heartbeat_timeout, kLeast);
}

AttemptPlan MakeAttempt(Input& input) {
  constexpr std::array kDeeds = {
      Deed::kNone,       Deed::kNone,
      Deed::kNone,       Deed::kStopItself,
      Deed::kSubmit,     Deed::kAskWhatItMayNot,
      Deed::kLookAround, Deed::kRequestShutdown,
  };
  AttemptPlan attempt;
  attempt.outcome = static_cast<Outcome>(input.Below(6));
  const uint8_t what = input.Byte();
  attempt.deed = kDeeds[what % kDeeds.size()];
  attempt.marks_healthy = (what & 8) != 0;
  attempt.uses_token = (what & 16) != 0;
  attempt.beats = (what & 128) != 0;
  if ((what & 32) != 0) attempt.sleep = AnyDuration(input);
  if ((what & 64) != 0) attempt.deaf = UsualDuration(input);
  return attempt;
}

void MakeHooks(Input& input, TaskPlan& plan) {
  plan.hooks = input.Byte();
  if (input.Bool()) plan.throws = input.Byte();
  if (input.Bool()) {
    plan.slow = input.Byte();
    plan.hook_takes = UsualDuration(input);
  }
  const size_t more = input.Below(32);
  if (plan.Has(Hook::kSetup)) plan.setup_failures = static_cast<int64_t>(more & 3);
  if ((more & 4) != 0) plan.prevented_at = static_cast<int64_t>(more >> 3);
}

std::string RefusedField(const TaskPlan& plan) {
  constexpr absl::Duration kZero = absl::ZeroDuration();
  if (!IsGoodName(plan.name)) return "name";
  if (!plan.has_run) return "run";
  if (!plan.policy.refused.empty()) return plan.policy.refused;
  if (!plan.backoff.refused.empty()) return plan.backoff.refused;
  if (plan.restart_on > RestartOn::kAnyExit) return "restart_on";
  if (plan.stable_after < kZero) return "stable_after";
  for (const absl::StatusCode code : plan.permanent_errors) {
    if (static_cast<int>(code) < 1 || static_cast<int>(code) > 16) return "permanent_errors";
  }
  if (plan.initial_delay < kZero || plan.initial_delay == absl::InfiniteDuration()) {
    return "initial_delay";
  }
  if (plan.heartbeat_timeout <= kZero) return "heartbeat_timeout";
  if (plan.run_timeout <= kZero) return "run_timeout";
  if (plan.on_stuck > OnStuck::kAbort) return "on_stuck";
  if (plan.stop_timeout.value_or(kZero) < kZero) return "stop_timeout";
  return "";
}

}  // namespace

const char* NameOf(Hook hook) {
  constexpr std::array kNames = {"setup",        "cleanup",        "on_restart",  "on_error",
                                 "on_exception", "should_restart", "on_shutdown", "run"};
  return hook < Hook::kNone ? kNames[static_cast<size_t>(hook)] : "nothing";
}

std::string MakeName(Input& input) {
  const size_t which = input.Below(16);
  if (which < 10) return std::string(1, static_cast<char>('a' + which % 5));
  static const std::array<std::string, 6> kOdd = {"",   std::string("a\0b", 3), "a\x7f", "\xc3\xa4",
                                                  "\n", std::string(400, 'x')};
  return kOdd[which - 10];
}

AttemptPlan TaskPlan::Attempt(int64_t number) const {
  if (number >= kMostAttempts) return {.outcome = Outcome::kPermanentError};
  const auto count = static_cast<int64_t>(attempts.size());
  return attempts[static_cast<size_t>(std::min(number, count) - 1)];
}

TaskPlan TaskPlan::Make(Input& input) {
  TaskPlan plan;
  plan.name = MakeName(input);
  const uint8_t what = input.Byte();
  plan.has_run = what % 32 != 31;
  plan.retry_setup = (what & 32) != 0;
  if ((what & 64) != 0) plan.policy = MakePolicy(input);
  plan.backoff = MakeBackoff(input, /*usual=*/(what & 128) == 0);
  plan.restart_on = MakeRestartOn(input);
  const uint8_t limits = input.Byte();
  if ((limits & 1) != 0) MakeLimits(input, plan);
  if ((limits & 2) != 0) MakeWatch(input, plan);
  if ((limits & 4) != 0) plan.stop_order = MakeStopOrder(input);
  if (input.Bool()) MakeHooks(input, plan);
  plan.attempts.clear();
  for (size_t left = input.Below(4) + 1; left > 0; --left) {
    plan.attempts.push_back(MakeAttempt(input));
  }
  plan.refused = RefusedField(plan);
  return plan;
}

TaskPlan PlanOfChild(const std::string& name) {
  TaskPlan plan;
  plan.name = name;
  plan.backoff = {.strategy = BackoffStrategy::Constant(absl::Seconds(1)), .refused = ""};
  plan.attempts = {{.outcome = Outcome::kError, .sleep = absl::Seconds(1)}, {}};
  return plan;
}

}  // namespace foxtive::test
