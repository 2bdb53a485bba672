// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Waiting for a word of memory, as Linux has it. Both leave errno as it was.
//
// A wake-up needs the address alone, so the word may be gone: it hits whatever lies there then,
// which is a futex of nobody's or one whose waiter looks again.

#ifndef FOXTIVE_LIB_SHELL_FUTEX_H_
#define FOXTIVE_LIB_SHELL_FUTEX_H_

#include <atomic>
#include <cstdint>

namespace foxtive::internal {

// Until the word is no longer `expected`, a wake-up, a signal, or the deadline, on CLOCK_MONOTONIC
// (Clock::kNever: none).
void FutexWait(std::atomic<int32_t>& word, int32_t expected, int64_t deadline_nanos);

void FutexWakeOne(std::atomic<int32_t>& word);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_FUTEX_H_
