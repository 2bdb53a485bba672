// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/text.h"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/restart_policy.h"
#include "foxtive/shutdown_report.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_info.h"
#include "foxtive/task_spec.h"
#include "lib/core/number_text.h"
#include "lib/core/text_parts.h"

namespace foxtive {
namespace internal {

// Without a default, so that the compiler tells of an enumerator that is missing here.

std::string_view NameOf(RestartOn restart_on) {
  switch (restart_on) {
    case RestartOn::kFailure:
      return "kFailure";
    case RestartOn::kAnyExit:
      return "kAnyExit";
  }
  return {};
}

std::string_view NameOf(OnStuck on_stuck) {
  switch (on_stuck) {
    case OnStuck::kReport:
      return "kReport";
    case OnStuck::kRestart:
      return "kRestart";
    case OnStuck::kRestartOrGiveUp:
      return "kRestartOrGiveUp";
    case OnStuck::kAbort:
      return "kAbort";
  }
  return {};
}

std::string_view NameOf(SupervisionStatus status) {
  switch (status) {
    case SupervisionStatus::kCompletedNormally:
      return "kCompletedNormally";
    case SupervisionStatus::kMaxAttemptsReached:
      return "kMaxAttemptsReached";
    case SupervisionStatus::kRestartPrevented:
      return "kRestartPrevented";
    case SupervisionStatus::kSetupFailed:
      return "kSetupFailed";
    case SupervisionStatus::kManuallyStopped:
      return "kManuallyStopped";
    case SupervisionStatus::kAbandoned:
      return "kAbandoned";
  }
  return {};
}

std::string_view NameOf(TaskState state) {
  switch (state) {
    case TaskState::kRegistered:
      return "kRegistered";
    case TaskState::kQueued:
      return "kQueued";
    case TaskState::kRunning:
      return "kRunning";
    case TaskState::kBackingOff:
      return "kBackingOff";
    case TaskState::kStopping:
      return "kStopping";
    case TaskState::kOverdue:
      return "kOverdue";
    case TaskState::kFinished:
      return "kFinished";
  }
  return {};
}

std::string_view NameOf(TaskPhase phase) {
  switch (phase) {
    case TaskPhase::kNone:
      return "kNone";
    case TaskPhase::kSetup:
      return "kSetup";
    case TaskPhase::kRun:
      return "kRun";
    case TaskPhase::kHook:
      return "kHook";
    case TaskPhase::kStopCalls:
      return "kStopCalls";
    case TaskPhase::kCleanup:
      return "kCleanup";
    case TaskPhase::kDestruction:
      return "kDestruction";
  }
  return {};
}

std::string_view NameOf(EventKind kind) {
  switch (kind) {
    case EventKind::kAttemptFailed:
      return "kAttemptFailed";
    case EventKind::kSetupFailed:
      return "kSetupFailed";
    case EventKind::kHookThrew:
      return "kHookThrew";
    case EventKind::kTaskOver:
      return "kTaskOver";
    case EventKind::kLateReturn:
      return "kLateReturn";
    case EventKind::kCapacityLimited:
      return "kCapacityLimited";
    case EventKind::kStarving:
      return "kStarving";
    case EventKind::kStuck:
      return "kStuck";
    case EventKind::kStopIgnored:
      return "kStopIgnored";
    case EventKind::kStageOverdue:
      return "kStageOverdue";
  }
  return {};
}

}  // namespace internal

namespace {

using ::foxtive::internal::Counted;
using ::foxtive::internal::DurationText;
using ::foxtive::internal::Escaped;
using ::foxtive::internal::MeasuredText;
using ::foxtive::internal::NameOf;
using ::foxtive::internal::NumberText;

template <typename Enum>
std::string EnumText(const char* type, Enum value) {
  const std::string_view name = NameOf(value);
  if (!name.empty()) return std::string(name);
  return absl::StrCat(type, "(", static_cast<int64_t>(value), ")");
}

void AppendTask(const ShutdownReport::Task& task, std::string& text) {
  const std::string since = MeasuredText(task.since_stop);
  const std::string order =
      task.stop_order != 0 ? absl::StrCat("stop_order ", task.stop_order, ", ") : "";
  if (task.stuck()) {
    absl::StrAppend(&text, "\nstuck, ", order, "asked to stop ", since,
                    " ago: ", ToString(task.info));
  } else {
    absl::StrAppend(&text, "\nover after ", since, ": ", order, ToString(task.final_status), ", ",
                    ToString(task.info));
  }
  if (!task.stuck() || task.info.stack == nullptr) return;
  const std::string stack = ToString(*task.info.stack);
  absl::StrAppend(&text, "\n  ", absl::StrReplaceAll(stack, {{"\n", "\n  "}}));
}

std::string LastErrorText(const absl::Status& error) {
  return absl::StrCat("last error: ", Escaped(error.ToString()));
}

// As it is written in a program, but for the names of the arguments.
std::string StrategyText(const char* name, std::vector<std::string> arguments, double jitter) {
  if (jitter != 0) arguments.push_back(absl::StrCat("jitter ", NumberText(jitter)));
  if (arguments.empty()) return name;
  return absl::StrCat(name, "(", absl::StrJoin(arguments, ", "), ")");
}

}  // namespace

std::string ToString(RestartOn restart_on) { return EnumText("RestartOn", restart_on); }

std::string ToString(OnStuck on_stuck) { return EnumText("OnStuck", on_stuck); }

std::string ToString(SupervisionStatus status) { return EnumText("SupervisionStatus", status); }

std::string ToString(TaskState state) { return EnumText("TaskState", state); }

std::string ToString(TaskPhase phase) { return EnumText("TaskPhase", phase); }

std::string ToString(const RestartPolicy& policy) {
  using Kind = RestartPolicy::Kind;
  if (policy.kind_ == Kind::kNever) return "Never";
  if (policy.kind_ == Kind::kAlways) return "Always";
  return absl::StrCat("MaxAttempts(", policy.max_attempts_, ")");
}

std::string ToString(const BackoffStrategy& strategy) {
  using Kind = BackoffStrategy::Kind;
  const double jitter = strategy.jitter_;
  const std::string delay = DurationText(strategy.initial_);
  const std::string initial = absl::StrCat("initial ", delay);
  const std::string max = absl::StrCat("max ", DurationText(strategy.max_));
  switch (strategy.kind_) {
    case Kind::kConstant:
      return StrategyText("Constant", {delay}, jitter);
    case Kind::kExponential:
      return StrategyText(
          "Exponential",
          {initial, max, absl::StrCat("multiplier ", NumberText(strategy.multiplier_))}, jitter);
    case Kind::kLinear:
      return StrategyText(
          "Linear", {initial, absl::StrCat("increment ", DurationText(strategy.increment_)), max},
          jitter);
    case Kind::kFibonacci:
      return StrategyText("Fibonacci", {initial, max}, jitter);
    case Kind::kCustom:
      break;
  }
  return StrategyText("Custom", {}, jitter);
}

std::string ToString(EventKind kind) { return EnumText("EventKind", kind); }

std::string ToString(const SupervisionResult& result) {
  std::string text =
      absl::StrCat("'", Escaped(result.task_name), "': ", ToString(result.final_status), " after ",
                   Counted(result.total_attempts, "attempt"), " in ", MeasuredText(result.elapsed));
  if (!result.reason.empty()) absl::StrAppend(&text, ": ", Escaped(result.reason));
  absl::StrAppend(&text, "; ", LastErrorText(result.last_error));
  return text;
}

std::string ToString(const TaskInfo& info) {
  std::string text = absl::StrCat("'", Escaped(info.name), "': ", ToString(info.state), " for ",
                                  MeasuredText(info.in_state_for));
  if (info.state == TaskState::kBackingOff) {
    absl::StrAppend(&text, info.next_attempt_in == absl::InfiniteDuration()
                               ? ", no next attempt"
                               : ", next attempt in " + MeasuredText(info.next_attempt_in));
  }
  if (info.phase != TaskPhase::kNone) absl::StrAppend(&text, " in ", ToString(info.phase));
  if (info.since_heartbeat < absl::InfiniteDuration()) {
    absl::StrAppend(&text, ", last heartbeat ", MeasuredText(info.since_heartbeat), " ago");
  }
  if (info.stuck_for > absl::ZeroDuration()) {
    absl::StrAppend(&text, ", stuck for ", MeasuredText(info.stuck_for));
  }
  absl::StrAppend(&text, "; ", Counted(info.attempts, "attempt"), ", ",
                  Counted(info.consecutive_failures, "failure"), " in a row, ",
                  Counted(info.hook_failures, "hook failure"), "; ",
                  LastErrorText(info.last_error));
  return text;
}

std::string ToString(const ShutdownReport& report) {
  const auto stuck = std::count_if(report.tasks.begin(), report.tasks.end(),
                                   [](const ShutdownReport::Task& task) { return task.stuck(); });
  std::string text = absl::StrCat("shutdown took ", MeasuredText(report.took), " of ",
                                  MeasuredText(report.timeout), ": ", stuck, " of ",
                                  Counted(static_cast<int64_t>(report.tasks.size()), "task"),
                                  stuck == 1 ? " is stuck" : " are stuck");
  if (report.not_listed > 0) {
    absl::StrAppend(&text, " (and ", report.not_listed, " for which there was no memory)");
  }
  for (const ShutdownReport::Task& task : report.tasks) AppendTask(task, text);
  return text;
}

std::ostream& operator<<(std::ostream& out, RestartOn restart_on) {
  return out << ToString(restart_on);
}

std::ostream& operator<<(std::ostream& out, OnStuck on_stuck) { return out << ToString(on_stuck); }

std::ostream& operator<<(std::ostream& out, SupervisionStatus status) {
  return out << ToString(status);
}

std::ostream& operator<<(std::ostream& out, TaskState state) { return out << ToString(state); }

std::ostream& operator<<(std::ostream& out, TaskPhase phase) { return out << ToString(phase); }

std::ostream& operator<<(std::ostream& out, const RestartPolicy& policy) {
  return out << ToString(policy);
}

std::ostream& operator<<(std::ostream& out, const BackoffStrategy& strategy) {
  return out << ToString(strategy);
}

std::ostream& operator<<(std::ostream& out, EventKind kind) { return out << ToString(kind); }

std::ostream& operator<<(std::ostream& out, const SupervisionResult& result) {
  return out << ToString(result);
}

std::ostream& operator<<(std::ostream& out, const TaskInfo& info) { return out << ToString(info); }

std::ostream& operator<<(std::ostream& out, const ShutdownReport& report) {
  return out << ToString(report);
}

}  // namespace foxtive
