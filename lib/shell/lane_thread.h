// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// LaneThread: a thread of oneTBB while it is a lane. It takes no signals of the host, is not
// cancelled in the middle of a worker (which would abort the process), and carries the name of the
// task that it works for. All of that is renewed when another task comes and when the lane rests,
// whatever the last task did to it, and the mask and the name are put back when the lane leaves. A
// task that runs again on the thread that it has just left costs no system call.
//
// Belongs to its thread. Blocking, errors: none.

#ifndef FOXTIVE_LIB_SHELL_LANE_THREAD_H_
#define FOXTIVE_LIB_SHELL_LANE_THREAD_H_

#include <pthread.h>

#include <optional>
#include <string_view>
#include <utility>

#include "lib/shell/thread_setup.h"

namespace foxtive::internal {

class LaneThread {
 public:
  // `resting_name`: between two jobs. `is_own`: else the thread is also that of others, and nothing
  // is done to it.
  LaneThread(std::string_view resting_name, bool is_own)
      : is_own_(is_own), resting_name_(CutThreadName(resting_name)) {
    if (!is_own) return;
    signals_blocked_.emplace();
    DisableCancellation();
    pthread_getname_np(pthread_self(), former_name_.data(), former_name_.size());
    // Not that of the monitor, which it has from there if it was created for a lane.
    if (std::string_view(former_name_.data()).starts_with("foxtive-")) {
      former_name_ = CutThreadName("foxtive-spare");
    }
  }

  ~LaneThread() {
    if (!is_own_) return;
    signals_blocked_->DropBrokenPipe();
    SetName(former_name_);
  }

  LaneThread(const LaneThread&) = delete;
  LaneThread& operator=(const LaneThread&) = delete;

  // Around a job.
  void Begin(std::string_view job_name, bool other_task) {
    if (!is_own_ || (!other_task && !rested_)) return;
    if (!std::exchange(rested_, false)) Clean();
    SetName(CutThreadName(job_name));
  }
  void End() {
    if (is_own_) DisableCancellation();
  }

  // Before the lane parks.
  void Rest() {
    if (!is_own_) return;
    Clean();
    SetName(resting_name_);
    rested_ = true;
  }

 private:
  // Once more what End does, because destructors have run since.
  void Clean() {
    DisableCancellation();
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, nullptr);
    signals_blocked_->Renew();
  }

  // For good: a request that came meanwhile would end the process as soon as it is let through.
  static void DisableCancellation() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr); }

  static void SetName(const ThreadName& name) { pthread_setname_np(pthread_self(), name.data()); }

  const bool is_own_;
  std::optional<SignalsBlocked> signals_blocked_;
  const ThreadName resting_name_;
  ThreadName former_name_{};
  bool rested_ = false;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_LANE_THREAD_H_
