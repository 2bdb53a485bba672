// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/attempt_log.h"

#include <new>
#include <utility>

namespace foxtive::internal {

std::unique_ptr<AttemptLog> AttemptLog::Make(size_t capacity) noexcept {
  try {
    return std::make_unique<AttemptLog>(capacity);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

AttemptLog::AttemptLog(size_t capacity) : capacity_(capacity), ring_(new Entry[capacity]) {}

AttemptLog::Replaced AttemptLog::Add(const LoggedAttempt& attempt, absl::Status& status,
                                     bool shared) {
  Replaced replaced;
  if (!status.ok()) replaced.cause = causes_.Count(status, attempt.ended_nanos);
  Entry& entry = ring_[(first_ + size_) % capacity_];
  if (size_ < capacity_) {
    ++size_;
  } else {
    first_ = (first_ + 1) % capacity_;
  }
  entry.attempt = attempt;
  entry.shared = shared;
  replaced.status = shared ? std::exchange(entry.status, absl::Status())
                           : std::exchange(entry.status, std::move(status));
  return replaced;
}

void AttemptLog::CopyTo(std::vector<Entry>& entries) const {
  for (size_t i = 0; i < size_; ++i) entries.push_back(ring_[(first_ + i) % capacity_]);
}

void ShareStatuses(std::vector<AttemptLog::Entry>& entries) {
  for (size_t i = entries.size(); i-- > 1;) {
    if (entries[i - 1].shared) entries[i - 1].status = entries[i].status;
  }
}

}  // namespace foxtive::internal
