// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/exit_gate.h"

#include <cstdlib>
#include <mutex>
#include <shared_mutex>

#include "lib/shell/fork_guard.h"

namespace foxtive::internal {
namespace {

struct Gate {
  std::shared_mutex mutex;  // shared by the calls that are inside
  bool closed = false;
};

void Close();

Gate& TheGate() {
  // Leaked: threads may come here until the process is gone.
  static Gate& gate = *[] {
    auto* made = new Gate;
    std::atexit(&Close);
    return made;
  }();
  return gate;
}

void Close() {
  // The lock may be held by a thread that exists in the parent alone.
  if (InForkChild()) return;
  Gate& gate = TheGate();
  const std::unique_lock<std::shared_mutex> lock(gate.mutex);
  gate.closed = true;
}

}  // namespace

bool UnlessExiting(absl::FunctionRef<void()> use_one_tbb) {
  Gate& gate = TheGate();
  const std::shared_lock<std::shared_mutex> lock(gate.mutex);
  if (gate.closed) return false;
  use_one_tbb();
  return true;
}

bool IsExiting() {
  return !UnlessExiting([] {});
}

}  // namespace foxtive::internal
