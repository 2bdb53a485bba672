// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Box: what workers of a world wait for on a condition variable. Hosts and other workers put a gift
// into it, which one worker takes; there is room for one, so that there is something to wait for.

#ifndef FOXTIVE_TESTS_SIMULATOR_BOX_H_
#define FOXTIVE_TESTS_SIMULATOR_BOX_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace foxtive::test {

struct Box {
  void Give(int64_t now) {
    {
      const std::lock_guard lock(mutex);
      if (std::exchange(full, true)) return;
      since = now;
    }
    changed.notify_one();
  }

  std::mutex mutex;
  std::condition_variable_any changed;
  bool full = false;
  int64_t since = 0;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SIMULATOR_BOX_H_
