// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/core/attempt_log.h"

namespace foxtive::internal {

AttemptLog::AttemptLog(size_t capacity) : capacity_(capacity), ring_(new Entry[capacity]) {}

void AttemptLog::CopyTo(std::vector<Entry>& entries) const {
  const size_t first = next_ + capacity_ - size_;
  for (size_t i = 0; i < size_; ++i) entries.push_back(ring_[(first + i) % capacity_]);
}

void ShareStatuses(std::vector<AttemptLog::Entry>& entries) {
  for (size_t i = entries.size(); i-- > 1;) {
    if (entries[i - 1].shared) entries[i - 1].status = entries[i].status;
  }
}

}  // namespace foxtive::internal
