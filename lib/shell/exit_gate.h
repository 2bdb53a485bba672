// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// ExitGate: keeps the library out of oneTBB while the process exits.
//
// A lane may return, or a monitor decide, after `main` has ended; oneTBB is being taken apart then,
// and whoever still calls it aborts the process. So calls into oneTBB pass this gate, and an exit
// handler closes it, which waits for calls that are inside. The handler is registered by the first
// call and so runs before the destructors of oneTBB.
//
// exit() on a lane, by a worker or by the child that it forked: oneTBB takes the thread that exits
// for one of the host's and crashes in its destructors. So the process ends just before those, when
// the exit handlers and the static objects of the program have had their turn.
//
// Thread safety: any thread; calls do not exclude each other. Blocking: at exit only. Not for calls
// that wait for other threads.

#ifndef FOXTIVE_LIB_SHELL_EXIT_GATE_H_
#define FOXTIVE_LIB_SHELL_EXIT_GATE_H_

#include "absl/functional/function_ref.h"

namespace foxtive::internal {

// Calls `use_one_tbb`, and passes on what it throws. False: the process is exiting, nothing was
// done.
bool UnlessExiting(absl::FunctionRef<void()> use_one_tbb);

bool IsExiting();

// Marks this thread as one of oneTBB's while it is a lane.
class LaneScope {
 public:
  LaneScope();
  ~LaneScope();
  LaneScope(const LaneScope&) = delete;
  LaneScope& operator=(const LaneScope&) = delete;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_EXIT_GATE_H_
