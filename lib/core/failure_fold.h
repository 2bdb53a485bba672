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

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace foxtive::internal {

// Whether failures are the same: status code and message. Keeps no copy of what it has seen, and
// does not read it again, since others may hold it.
class FailureLikeness {
 public:
  // REQUIRES: `message` was there before the last one was gone, or `Forget` was called since; else
  //   it might have its address.
  bool IsLikeLast(int code, std::string_view message) {
    const bool alike = knows_last_ && message.size() == size_ && code == code_;
    if (alike && message.data() == data_) return true;
    const size_t hash = std::hash<std::string_view>()(message);
    const bool like = alike && hash == hash_;
    knows_last_ = true;
    data_ = message.data();
    size_ = message.size();
    hash_ = hash;
    code_ = code;
    return like;
  }

  // There was a success.
  void Forget() { knows_last_ = false; }

 private:
  bool knows_last_ = false;
  const char* data_ = nullptr;
  size_t size_ = 0;
  size_t hash_ = 0;
  int code_ = 0;
};

class FailureFold {
 public:
  static constexpr int64_t kAlike = 5;
  static constexpr int64_t kMaxInWindow = 10;
  static constexpr int64_t kWindowNanos = 10'000'000'000;

  // True: it is to be told, and to be followed by `Told`. `same`: as the failure before it; `last`:
  // no attempt follows.
  bool Count(bool same, bool last, int64_t now_nanos) {
    alike_ = same ? alike_ + 1 : 1;
    if (now_nanos - window_nanos_ >= kWindowNanos) in_window_ = 0;
    const bool quiet = now_nanos - told_nanos_ >= kWindowNanos;
    const bool tell = last || quiet || (alike_ < kAlike && in_window_ < kMaxInWindow);
    if (!tell) ++folded_;
    return tell;
  }

  int64_t folded() const { return folded_; }

  void Told(bool delivered, int64_t now_nanos) {
    if (!delivered) {
      ++folded_;
      return;
    }
    folded_ = 0;
    told_nanos_ = now_nanos;
    if (in_window_++ == 0) window_nanos_ = now_nanos;
  }

 private:
  static constexpr int64_t kLongAgo = INT64_MIN / 2;

  int64_t alike_ = 0;
  int64_t folded_ = 0;
  int64_t told_nanos_ = kLongAgo;
  int64_t window_nanos_ = kLongAgo;
  int64_t in_window_ = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_FAILURE_FOLD_H_
