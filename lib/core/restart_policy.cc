// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/restart_policy.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace foxtive {

absl::Status RestartPolicy::Validate() const {
  if (kind_ != Kind::kMaxAttempts || max_attempts_ >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("restart_policy.max_attempts: ", max_attempts_, " is less than 1"));
}

}  // namespace foxtive
