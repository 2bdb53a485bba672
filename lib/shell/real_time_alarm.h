// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// RealTimeAlarm: wakes a monitor in real time whose own clock is the user's, which may stand still.
//
// Owned by the monitor, which sets it and is nudged by it; its thread lives as long as it does.

#ifndef FOXTIVE_LIB_SHELL_REAL_TIME_ALARM_H_
#define FOXTIVE_LIB_SHELL_REAL_TIME_ALARM_H_

#include <atomic>
#include <cstdint>
#include <thread>

#include "foxtive/clock.h"
#include "lib/shell/inbox.h"
#include "lib/shell/real_time.h"
#include "lib/shell/thread_setup.h"

namespace foxtive::internal {

class RealTimeAlarm {
 public:
  // REQUIRES: `inbox` outlives this. Throws std::system_error if there is no thread.
  explicit RealTimeAlarm(Inbox& inbox) : inbox_(inbox), thread_([this] { Run(); }) {}

  ~RealTimeAlarm() {
    closing_ = true;
    RealClock().Unpark(parker_);
    thread_.join();
  }

  // Nudges at this time, once. Clock::kNever: not at all.
  void Set(int64_t real_nanos) {
    if (due_.exchange(real_nanos) != real_nanos) RealClock().Unpark(parker_);
  }

 private:
  void Run() {
    NameThread("foxtive-alarm");
    while (!closing_) {
      int64_t due = due_;
      if (RealClock().Park(parker_, due)) continue;
      if (due_.compare_exchange_strong(due, Clock::kNever)) inbox_.Nudge();
    }
  }

  Inbox& inbox_;
  Clock::Parker parker_;
  std::atomic<int64_t> due_{Clock::kNever};
  std::atomic<bool> closing_{false};
  std::thread thread_;  // the last one: it uses the others
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_REAL_TIME_ALARM_H_
