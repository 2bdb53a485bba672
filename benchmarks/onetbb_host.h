// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// oneTBB as the program itself uses it, beside the library or instead of it.
//
// The library changes oneTBB for good when it first starts: oneTBB may have more threads from then
// on, and the host a thread for each core besides the library's, where it had one less before,
// since oneTBB reckons with the one that waits. So the library has to start first, or it would
// matter which benchmark does.

#ifndef FOXTIVE_BENCHMARKS_ONETBB_HOST_H_
#define FOXTIVE_BENCHMARKS_ONETBB_HOST_H_

#include <oneapi/tbb/task_arena.h>

#include "foxtive/supervisor.h"

namespace foxtive::benchmarks {

// Before anything else of the binary uses oneTBB.
inline void StartOneTbb() { [[maybe_unused]] static const Supervisor& first = *new Supervisor; }

// Arenas whose threads are all oneTBB's: one with a thread for each core, and one with one thread.
// Never destroyed: an arena that was just left keeps its threads for a while.
inline tbb::task_arena& ArenaOfAllCores() {
  StartOneTbb();
  static tbb::task_arena& arena = *new tbb::task_arena(tbb::task_arena::automatic, 0);
  return arena;
}
inline tbb::task_arena& ArenaOfOneThread() {
  StartOneTbb();
  static tbb::task_arena& arena = *new tbb::task_arena(1, 0);
  return arena;
}

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_ONETBB_HOST_H_
