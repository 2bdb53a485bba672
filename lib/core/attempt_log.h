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

// What is kept of an attempt, besides its status.
struct LoggedAttempt {
  int64_t number = 0;
  int64_t began_nanos = 0;
  int64_t ended_nanos = 0;
  int64_t next_nanos = 0;  // when the next one may begin; kNever: none by itself
  uint8_t row = 0;         // of the verdict; 0: it is being asked for
  bool final = false;      // the same
  bool in_setup = false;
  bool threw = false;
};

class AttemptLog {
 public:
  // Null: there is no memory.
  static std::unique_ptr<AttemptLog> Make(size_t capacity) noexcept;
  // REQUIRES: capacity > 0. Throws std::bad_alloc.
  explicit AttemptLog(size_t capacity);

  // What is pushed out. It may have the user's objects in its payloads.
  struct Replaced {
    absl::Status status;
    absl::Status cause;
  };
  // `shared`: its status is that of the attempt after it, which is not here yet, and `status` stays
  // as it is; else it moves here.
  [[nodiscard]] Replaced Add(const LoggedAttempt& attempt, absl::Status& status, bool shared);

  struct Entry {
    LoggedAttempt attempt;
    bool shared = false;
    absl::Status status;
  };
  size_t capacity() const { return capacity_; }
  // In their order. Those at the end that share the status of the next one are told by `shared`.
  // Allocates nothing if there is room in `entries`.
  void CopyTo(std::vector<Entry>& entries) const;
  const FailureCauses& causes() const { return causes_; }

 private:
  const size_t capacity_;
  const std::unique_ptr<Entry[]> ring_;
  size_t first_ = 0;
  size_t size_ = 0;
  FailureCauses causes_;
};

// Gives those that share one the status of the entry that follows.
void ShareStatuses(std::vector<AttemptLog::Entry>& entries);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_ATTEMPT_LOG_H_
