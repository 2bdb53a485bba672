// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/exit_gate.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "lib/shell/fork_guard.h"

namespace foxtive::internal {
namespace {

struct Gate {
  std::shared_mutex mutex;  // shared by the calls that are inside
  bool closed = false;
};

thread_local bool on_lane = false;

// Of the thread that exits.
bool exits_on_lane = false;
int exit_status = 0;

void Close(int status, void*);

Gate& TheGate() {
  // Never destroyed: threads may come here until the process is gone. Not from the heap, which may
  // be used up when the first of them comes.
  alignas(Gate) static std::array<std::byte, sizeof(Gate)> memory;
  static Gate& gate = *[] {
    auto* made = new (memory.data()) Gate;
    on_exit(&Close, nullptr);
    return made;
  }();
  return gate;
}

void Close(int status, void*) {
  exits_on_lane = on_lane;
  exit_status = status;
  // The lock may be held by a thread that exists in the parent alone.
  if (InForkChild()) return;
  Gate& gate = TheGate();
  const std::unique_lock<std::shared_mutex> lock(gate.mutex);
  gate.closed = true;
}

void EndNow(int) { _exit(exit_status); }

void Flush(std::FILE* stream) {
  if (ftrylockfile(stream) != 0) return;
  std::fflush(stream);
  funlockfile(stream);
}

// What exit() would do at its end. It takes no notice of locks; fflush does, and a worker that is
// stuck in a stream has that one for ever: so the streams that everybody writes to come first, and
// all together have kFlushSeconds.
void FlushStreams() {
  constexpr unsigned kFlushSeconds = 1;
  Flush(stdout);
  Flush(stderr);
  signal(SIGALRM, &EndNow);
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarms, nullptr);
  alarm(kFlushSeconds);
  std::fflush(nullptr);
}

// After the program's exit handlers and static objects, before the libraries that it uses.
[[gnu::destructor]] void EndBeforeOneTbb() {
  if (!exits_on_lane) return;
  FlushStreams();
  _exit(exit_status);
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

LaneScope::LaneScope() { on_lane = true; }

LaneScope::~LaneScope() { on_lane = false; }

}  // namespace foxtive::internal
