// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/facade/validate.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "lib/core/text.h"

namespace foxtive::internal {
namespace {

absl::Status CheckName(const std::string& name) {
  if (name.empty()) return absl::InvalidArgumentError("name: '' is empty");
  if (std::none_of(name.begin(), name.end(), IsControl)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("name: '", absl::CEscape(name), "' has a control character"));
}

absl::Status CheckNotNegative(const char* field, absl::Duration value) {
  if (value >= absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", absl::FormatDuration(value), " is negative"));
}

absl::Status CheckFinite(const char* field, absl::Duration value) {
  if (value != absl::InfiniteDuration()) return CheckNotNegative(field, value);
  return absl::InvalidArgumentError(absl::StrCat(field, ": inf is infinite"));
}

absl::Status CheckPositive(const char* field, absl::Duration value) {
  if (value > absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", absl::FormatDuration(value), " is not more than 0"));
}

absl::Status CheckOnStuck(OnStuck value) {
  if (!NameOf(value).empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("on_stuck: ", ToString(value), " is none of its values"));
}

absl::Status CheckRestartOn(RestartOn value) {
  if (!NameOf(value).empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("restart_on: ", ToString(value), " is neither kFailure nor kAnyExit"));
}

absl::Status CheckPermanentErrors(const std::set<absl::StatusCode>& codes) {
  for (const absl::StatusCode code : codes) {
    if (code > absl::StatusCode::kOk && code <= absl::StatusCode::kUnauthenticated) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("permanent_errors: ", static_cast<int>(code), " is not the code of an error"));
  }
  return absl::OkStatus();
}

// A task that restarts has room for all of them.
constexpr int kMostAttempts = 1000;

}  // namespace

RunFunction NullTask::Run() {
  RunFunction run;
  run.of_null_task_ = true;
  return run;
}

absl::Status Validate(const TaskSpec& spec) {
  if (NullTask::Made(spec.run)) return absl::InvalidArgumentError("task: the pointer is null");
  if (absl::Status status = CheckName(spec.name); !status.ok()) return status;
  if (!spec.run) {
    return absl::InvalidArgumentError(
        absl::StrCat("run: task '", spec.name, "' has an empty function"));
  }
  if (absl::Status status = spec.restart_policy.Validate(); !status.ok()) return status;
  if (absl::Status status = spec.backoff.Validate(); !status.ok()) return status;
  if (absl::Status status = CheckRestartOn(spec.restart_on); !status.ok()) return status;
  if (absl::Status status = CheckNotNegative("stable_after", spec.stable_after); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckPermanentErrors(spec.permanent_errors); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckFinite("initial_delay", spec.initial_delay); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckPositive("heartbeat_timeout", spec.heartbeat_timeout);
      !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckPositive("run_timeout", spec.run_timeout); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckOnStuck(spec.on_stuck); !status.ok()) return status;
  if (!spec.stop_timeout.has_value()) return absl::OkStatus();
  return CheckNotNegative("stop_timeout", *spec.stop_timeout);
}

absl::Status Validate(const SupervisorOptions& options) {
  if (options.max_concurrency < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_concurrency: ", options.max_concurrency, " is less than 1"));
  }
  if (absl::Status status = CheckNotNegative("shutdown_timeout", options.shutdown_timeout);
      !status.ok()) {
    return status;
  }
  if (options.attempt_history < 0 || options.attempt_history > kMostAttempts) {
    return absl::InvalidArgumentError(absl::StrCat("attempt_history: ", options.attempt_history,
                                                   " is not from 0 to ", kMostAttempts));
  }
  return CheckNotNegative("starvation_alarm", options.starvation_alarm);
}

}  // namespace foxtive::internal
