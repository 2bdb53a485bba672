// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// AttemptLog: the last attempts of a task but for the very last one, which is in its record, in a
// ring; and the causes of all of them.
//
//   verdict on attempt n ─▶ the record: attempt n      (its status is `last_error`)
//                                  │ verdict on n + 1
//                                  ▼
//                           AttemptLog: n - 6 ... n    (the status moves, and is not copied)
//
// So a task that has failed once, as most do of a million that wait, has none; and the way of a
// restart allocates nothing but this, once.
//
// Thread safety: as an int.

#ifndef FOXTIVE_LIB_CORE_ATTEMPT_LOG_H_
#define FOXTIVE_LIB_CORE_ATTEMPT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "lib/core/failure_causes.h"

namespace foxtive::internal {

// What a record keeps of the attempt that ended last; its status is `last_error`. In two parts, of
// which the record has the lesser one among what it has of that size.
struct AttemptTimes {
  static constexpr int64_t kNone = INT64_MAX;

  int64_t began_nanos = 0;
  int64_t ended_nanos = kNone;

  bool exists() const { return ended_nanos != kNone; }
};
struct AttemptMarks {
  uint8_t row = 0;         // of the verdict; 0: it is being asked for
  bool final : 1 = false;  // the verdict
  bool waits : 1 = false;  // for a delay, before the next one
  bool in_setup : 1 = false;
  bool alike : 1 = false;       // it is a failure like the one before it
  bool is_current : 1 = false;  // no attempt has begun since
};
struct EndedAttempt : AttemptTimes, AttemptMarks {};

class AttemptLog {
 public:
  // REQUIRES: capacity > 0. Throws std::bad_alloc.
  explicit AttemptLog(size_t capacity);

  struct Entry {
    EndedAttempt attempt;
    int64_t number = 0;
    int64_t next_nanos = 0;  // if it waits: when the next one may begin
    bool threw = false;
    bool shared = false;  // its status is that of the entry behind it, and not here
    absl::Status status;
  };

  // The next one to be filled, or the oldest one, which is overwritten: what there is of its status
  // may have the user's objects in its payloads.
  Entry& Next() {
    Entry& entry = ring_[next_];
    if (++next_ == capacity_) next_ = 0;
    if (size_ < capacity_) ++size_;
    return entry;
  }
  FailureCauses& causes() { return causes_; }
  const FailureCauses& causes() const { return causes_; }

  // In their order. Allocates nothing if there is room in `entries`.
  void CopyTo(std::vector<Entry>& entries) const;

 private:
  const size_t capacity_;
  const std::unique_ptr<Entry[]> ring_;
  size_t next_ = 0;
  size_t size_ = 0;
  FailureCauses causes_;
};

// Gives those that share one the status of the entry that follows.
void ShareStatuses(std::vector<AttemptLog::Entry>& entries);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_ATTEMPT_LOG_H_
