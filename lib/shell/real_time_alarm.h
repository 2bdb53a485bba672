// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// RealTimeAlarm: wakes a monitor in real time whose own clock is the user's, which may stand still.
//
// Owned by the monitor, which sets it and is nudged by it; its thread lives as long as it does.

#ifndef FOXTIVE_LIB_SHELL_REAL_TIME_ALARM_H_
#define FOXTIVE_LIB_SHELL_REAL_TIME_ALARM_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "foxtive/clock.h"
#include "lib/shell/inbox.h"
#include "lib/shell/system.h"
#include "lib/shell/thread_setup.h"

namespace foxtive::internal {

class RealTimeAlarm {
 public:
  // REQUIRES: both outlive this.
  RealTimeAlarm(System& system, Inbox& inbox)
      : system_(system), clock_(system.real_clock()), inbox_(inbox) {}

  ~RealTimeAlarm() {
    if (thread_ == nullptr) return;
    closing_ = true;
    clock_.Unpark(parker_);
    thread_->Join();
  }

  // Once, before the first Set.
  absl::Status Start() {
    absl::StatusOr<std::unique_ptr<System::Thread>> thread = system_.StartThread([this] { Run(); });
    if (!thread.ok()) return thread.status();
    thread_ = *std::move(thread);
    return absl::OkStatus();
  }

  // Nudges at this time, once. Clock::kNever: not at all.
  void Set(int64_t real_nanos) {
    if (due_.exchange(real_nanos) != real_nanos) clock_.Unpark(parker_);
  }

 private:
  void Run() {
    NameThread("foxtive-alarm");
    while (!closing_) {
      int64_t due = due_;
      if (clock_.Park(parker_, due)) continue;
      if (due_.compare_exchange_strong(due, Clock::kNever)) inbox_.Nudge();
    }
  }

  System& system_;
  Clock& clock_;
  Inbox& inbox_;
  Clock::Parker parker_;
  std::atomic<int64_t> due_{Clock::kNever};
  std::atomic<bool> closing_{false};
  std::unique_ptr<System::Thread> thread_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_REAL_TIME_ALARM_H_
