// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TimerModel: the promise of the timer wheel, written down as naively as possible: a sorted set.

#ifndef FOXTIVE_TESTS_SUPPORT_TIMER_MODEL_H_
#define FOXTIVE_TESTS_SUPPORT_TIMER_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>

#include "lib/core/timer_wheel.h"

namespace foxtive::test {

class TimerModel {
 public:
  static constexpr uint64_t kNever = internal::TimerWheel::kNever;

  explicit TimerModel(uint64_t now) : now_(std::min(now, kNever - 1)) {}

  void Schedule(size_t id, uint64_t deadline) {
    where_[id] = entries_.emplace(std::max(deadline, now_), ++sequence_, id).first;
  }

  bool Cancel(size_t id) {
    const auto found = where_.find(id);
    if (found == where_.end()) return false;
    entries_.erase(found->second);
    where_.erase(found);
    return true;
  }

  // An id, or -1.
  int64_t PopDue(uint64_t now) {
    now_ = std::max(now_, std::min(now, kNever - 1));
    if (NextDeadline() > now_) return -1;
    const size_t id = Earliest();
    Cancel(id);
    return static_cast<int64_t>(id);
  }

  size_t Earliest() const { return std::get<2>(*entries_.begin()); }

  uint64_t NextDeadline() const {
    return entries_.empty() ? kNever : std::get<0>(*entries_.begin());
  }

  size_t size() const { return entries_.size(); }
  uint64_t now() const { return now_; }

 private:
  using Entry = std::tuple<uint64_t, uint64_t, size_t>;  // deadline, sequence, id
  std::set<Entry> entries_;
  std::map<size_t, std::set<Entry>::iterator> where_;
  uint64_t sequence_ = 0;
  uint64_t now_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_TIMER_MODEL_H_
