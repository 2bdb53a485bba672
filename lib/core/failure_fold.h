// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// FailureFold: which failures of a task are worth an event, so that a crash loop does not flood a
// log, and how many the next one stands for.
//
//   told: the first kAlike - 1 failures in a row that are the same; the last one of the task;
//         whatever comes kWindow after the one that was told last; and failures that differ from
//         the one before, but not more than kMaxInWindow in a kWindow
//
// Belongs to whoever holds the task. An event that could not be delivered counts as not told.

#ifndef FOXTIVE_LIB_CORE_FAILURE_FOLD_H_
#define FOXTIVE_LIB_CORE_FAILURE_FOLD_H_

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"

namespace foxtive::internal {

// Whether two statuses are the same one, or copies of it, and have a text.
inline bool ShareOneText(const absl::Status& a, const absl::Status& b) {
  return !a.message().empty() && a.message().data() == b.message().data();
}

// Whether failures are the same: status code and message.
inline bool AreAlike(const absl::Status& a, const absl::Status& b) {
  return a.raw_code() == b.raw_code() && a.message() == b.message();
}

class FailureFold {
 public:
  static constexpr int kAlike = 5;
  static constexpr int kMaxInWindow = 10;
  static constexpr int64_t kWindowNanos = 10'000'000'000;

  // True: it is to be told, and to be followed by `Told`. `same`: as the failure before it; `last`:
  // no attempt follows.
  bool Count(bool same, bool last, int64_t now_nanos) {
    alike_ = same ? std::min<uint8_t>(alike_ + 1, kAlike) : 1;
    if (now_nanos - window_nanos_ >= kWindowNanos) in_window_ = 0;
    const bool quiet = now_nanos - told_nanos_ >= kWindowNanos;
    const bool tell = last || quiet || (alike_ < kAlike && in_window_ < kMaxInWindow);
    if (!tell) ++folded_;
    return tell;
  }

  int64_t folded() const { return static_cast<int64_t>(folded_); }

  void Told(bool delivered, int64_t now_nanos) {
    if (!delivered) {
      ++folded_;
      return;
    }
    folded_ = 0;
    told_nanos_ = now_nanos;
    if (in_window_ == 0) window_nanos_ = now_nanos;
    in_window_ = std::min<uint8_t>(in_window_ + 1, kMaxInWindow);
  }

 private:
  static constexpr int64_t kLongAgo = INT64_MIN / 2;

  int64_t told_nanos_ = kLongAgo;
  int64_t window_nanos_ = kLongAgo;
  // In one word, of which each task has one: the two are no more than is asked for.
  uint64_t folded_ : 48 = 0;
  uint64_t alike_ : 8 = 0;
  uint64_t in_window_ : 8 = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_FAILURE_FOLD_H_
