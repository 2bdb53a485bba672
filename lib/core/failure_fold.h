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
    const int64_t now = Micros(now_nanos);
    alike_ = same ? std::min<uint64_t>(alike_ + 1, kAlike) : 1;
    if (now - WindowBegan() >= kWindow) in_window_ = 0;
    const bool quiet = now - told_ >= kWindow;
    const bool tell = last || quiet || (alike_ < kAlike && in_window_ < kMaxInWindow);
    if (!tell) CountFolded();
    return tell;
  }

  int64_t folded() const { return static_cast<int64_t>(folded_); }

  void Told(bool delivered, int64_t now_nanos) {
    if (!delivered) {
      CountFolded();
      return;
    }
    const int64_t now = Micros(now_nanos);
    folded_ = 0;
    told_in_window_ =
        in_window_ == 0
            ? 0
            : static_cast<uint64_t>(std::clamp(now - WindowBegan(), int64_t{0}, kWindow));
    told_ = now;
    in_window_ = std::min<uint64_t>(in_window_ + 1, kMaxInWindow);
  }

 private:
  // There is one in each task, so all is in two words: times in microseconds, and no count is
  // larger than is asked for. `folded_` stays at its largest value: that many failures, of which
  // none could be told, are ten minutes of doing nothing else.
  static constexpr int64_t kWindow = kWindowNanos / 1000;
  static constexpr int64_t kLongAgo = INT64_MIN / 2;
  static constexpr int kFoldedBits = 33;

  static int64_t Micros(int64_t nanos) { return nanos / 1000; }

  int64_t WindowBegan() const { return told_ - static_cast<int64_t>(told_in_window_); }
  void CountFolded() {
    if (folded_ + 1 < uint64_t{1} << kFoldedBits) ++folded_;
  }

  int64_t told_ = kLongAgo;           // the last time
  uint64_t told_in_window_ : 24 = 0;  // since the window's beginning, at that time
  uint64_t folded_ : kFoldedBits = 0;
  uint64_t alike_ : 3 = 0;
  uint64_t in_window_ : 4 = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_FAILURE_FOLD_H_
