// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// EndOfRun: what main waits for. The first one to tell why the run is over is believed.
//
// Thread safety: all members may be called from any thread.

#ifndef FOXTIVE_EXAMPLES_KAFKA_END_OF_RUN_H_
#define FOXTIVE_EXAMPLES_KAFKA_END_OF_RUN_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "absl/time/time.h"

namespace kafka_consumer {

enum class Why { kComplete, kSignal, kTimeIsUp };

class EndOfRun {
 public:
  void Tell(Why why) {
    {
      const std::lock_guard lock(mutex_);
      if (!why_.has_value()) why_ = why;
    }
    told_.notify_all();
  }

  // kTimeIsUp if nobody tells anything within `limit`.
  Why Wait(absl::Duration limit) {
    std::unique_lock lock(mutex_);
    told_.wait_for(lock, absl::ToChronoMilliseconds(limit), [this] { return why_.has_value(); });
    return why_.value_or(Why::kTimeIsUp);
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<Why> why_;  // guarded by mutex_
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_END_OF_RUN_H_
