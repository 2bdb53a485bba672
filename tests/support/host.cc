// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/host.h"

#include <atomic>
#include <cstddef>
#include <semaphore>
#include <stop_token>
#include <thread>

#include "oneapi/tbb/global_control.h"
#include "oneapi/tbb/parallel_for.h"
#include "oneapi/tbb/task_arena.h"

namespace foxtive::test {

struct BusyHost::State {
  void Loop(const std::stop_token& stop) {
    tbb::parallel_for(0, 10'000, [this](int i) { sum += i; });
    started.release();
    while (!stop.stop_requested()) {
      tbb::parallel_for(0, 10'000, [this](int i) { sum += i; });
    }
  }

  std::atomic<int64_t> sum{0};
  std::binary_semaphore started{0};
  std::jthread thread{[this](const std::stop_token& stop) { Loop(stop); }};
};

BusyHost::BusyHost() : state_(std::make_unique<State>()) { state_->started.acquire(); }

BusyHost::~BusyHost() = default;

struct BlockedHost::State {
  explicit State(bool high_priority)
      : arena(16, 0,
              high_priority ? tbb::task_arena::priority::high : tbb::task_arena::priority::normal) {
  }

  tbb::task_arena arena;
  std::atomic<bool> may_end{false};
  std::atomic<int> left{0};
};

BlockedHost::BlockedHost(int tasks, bool high_priority)
    : state_(std::make_unique<State>(high_priority)) {
  state_->left = tasks;
  for (int i = 0; i < tasks; ++i) {
    state_->arena.enqueue([state = state_.get()] {
      state->may_end.wait(false);
      --state->left;
    });
  }
}

BlockedHost::~BlockedHost() {
  state_->may_end = true;
  state_->may_end.notify_all();
  while (state_->left > 0) std::this_thread::yield();
}

struct HostControl::State {
  tbb::global_control control;
};

HostControl::HostControl(int parallelism)
    : state_(new State{tbb::global_control(tbb::global_control::max_allowed_parallelism,
                                           static_cast<size_t>(parallelism))}) {}

HostControl::~HostControl() = default;

int64_t ParallelSum(int n) {
  tbb::task_arena compute(2);
  std::atomic<int64_t> sum{0};
  compute.execute([&] {
    tbb::this_task_arena::isolate([&] { tbb::parallel_for(0, n, [&](int i) { sum += i; }); });
  });
  return sum;
}

int AllowedParallelism() {
  return static_cast<int>(
      tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism));
}

}  // namespace foxtive::test
