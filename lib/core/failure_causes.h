// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// FailureCauses: how often a task has failed of what, in a fixed space.
//
// Failures have one cause if their codes are the same, and their messages but for what differs from
// call to call: numbers and addresses. Of each message a fingerprint is compared, the FNV-1a hash
// (G. Fowler, L. C. Noll, K.-P. Vo) of its code and its masked text.
//
// A copy is a snapshot. Thread safety: as an int.

#ifndef FOXTIVE_LIB_CORE_FAILURE_CAUSES_H_
#define FOXTIVE_LIB_CORE_FAILURE_CAUSES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"

namespace foxtive::internal {

// The message with a '#' for each number and address: 0x and hexadecimal digits; words of eight
// hexadecimal digits or more with a decimal one among them; any other run of decimal digits.
std::string MaskedMessage(const absl::Status& status);
uint64_t FingerprintOf(const absl::Status& status);

class FailureCauses {
 public:
  struct Cause {
    absl::Status first;  // as it was
    uint64_t fingerprint = 0;
    int64_t count = 0;
    int64_t first_nanos = 0;
    int64_t last_nanos = 0;
  };

  // Returns what is no longer needed: it may have the user's objects in its payloads. Allocates
  // nothing. REQUIRES: `failure` is not OK.
  [[nodiscard]] absl::Status Count(const absl::Status& failure, int64_t nanos);

  // The same of one that is like the one that was counted last: without a look at it.
  void CountAgain(int64_t nanos) {
    ++causes_[last_].count;
    causes_[last_].last_nanos = nanos;
  }

  std::span<const Cause> causes() const { return std::span(causes_).first(size_); }
  int64_t others() const { return others_; }  // counted by causes that are not there any more

 private:
  static constexpr size_t kCauses = 4;

  Cause* Find(uint64_t fingerprint);
  Cause& Rarest();

  std::array<Cause, kCauses> causes_;
  size_t size_ = 0;
  size_t last_ = 0;  // that was counted
  int64_t others_ = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_FAILURE_CAUSES_H_
