// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Waiting for signals that all threads block. Not by Clock::Park: only the system knows when a
// signal is there.

#ifndef FOXTIVE_LIB_SHELL_SIGNAL_WAIT_H_
#define FOXTIVE_LIB_SHELL_SIGNAL_WAIT_H_

#include <csignal>
#include <cstdint>
#include <string>

namespace foxtive::internal {

// Takes one of the signals, which this thread blocks, and returns its number; 0: none came before
// the deadline, on the real monotonic clock. A signal that is pending is taken whatever the time.
int TakeSignal(const sigset_t& signals, int64_t deadline_nanos);

// Which other thread does not block one of the signals, in words; empty: none, or /proc can't be
// read.
std::string ThreadThatTakes(const sigset_t& signals);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_SIGNAL_WAIT_H_
