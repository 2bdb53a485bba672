// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/manual_clock.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace foxtive::test {

int64_t ManualClock::NowNanos() const noexcept {
  const std::lock_guard lock(mutex_);
  return now_;
}

bool ManualClock::Park(Parker& parker, int64_t deadline_nanos) noexcept {
  std::unique_lock lock(mutex_);
  if (deadline_nanos <= now_) {
    lock.unlock();
    return Clock::Park(parker, kPast);
  }
  const auto self = parked_.insert(parked_.end(), {&parker, deadline_nanos});
  changed_.notify_all();
  lock.unlock();
  Clock::Park(parker, kNever);
  lock.lock();
  parked_.erase(self);
  return now_ < deadline_nanos;
}

void ManualClock::Advance(absl::Duration duration) {
  const std::lock_guard lock(mutex_);
  now_ += absl::ToInt64Nanoseconds(duration);
  for (const Parked& parked : parked_) {
    if (parked.deadline_nanos <= now_) Unpark(*parked.parker);
  }
}

void ManualClock::AwaitDeadline(absl::Duration at) const {
  const int64_t nanos = absl::ToInt64Nanoseconds(at);
  Await(absl::StrCat("a thread to wait until ", absl::FormatDuration(at)), [&] {
    return std::any_of(parked_.begin(), parked_.end(),
                       [&](const Parked& parked) { return parked.deadline_nanos == nanos; });
  });
}

void ManualClock::AwaitDeadlineBy(absl::Duration at) const {
  const int64_t nanos = absl::ToInt64Nanoseconds(at);
  Await(absl::StrCat("a thread to wait until ", absl::FormatDuration(at), " at the latest"), [&] {
    return std::any_of(parked_.begin(), parked_.end(), [&](const Parked& parked) {
      return now_ < parked.deadline_nanos && parked.deadline_nanos <= nanos;
    });
  });
}

void ManualClock::Await(const std::string& what, const std::function<bool()>& reached) const {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, kSafetyLimit, reached)) return;
  std::string text = absl::StrCat("waited too long for ", what, "; it is ",
                                  absl::FormatDuration(absl::Nanoseconds(now_)), ", waited for:");
  for (const Parked& parked : parked_) {
    absl::StrAppend(&text, " ", absl::FormatDuration(absl::Nanoseconds(parked.deadline_nanos)));
  }
  std::fprintf(stderr, "%s\n", text.c_str());
  std::abort();
}

}  // namespace foxtive::test
