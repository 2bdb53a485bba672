// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The mark of a permanent error is a payload of the status, so that it survives being copied,
// returned through layers, and kept in a result.

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "foxtive/restart_policy.h"
#include "lib/core/lifecycle.h"

namespace foxtive {
namespace {

constexpr absl::string_view kMark = "foxtive/permanent-error";

}  // namespace

absl::Status PermanentError(absl::Status error) {
  error.SetPayload(kMark, absl::Cord("true"));
  return error;
}

namespace internal {

bool IsPermanent(const RestartRules& rules, const absl::Status& error) {
  const uint32_t code = uint32_t{1} << static_cast<uint32_t>(error.code());
  return (rules.permanent_errors & code) != 0 || error.GetPayload(kMark).has_value();
}

}  // namespace internal
}  // namespace foxtive
