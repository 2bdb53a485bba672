// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A system that gives no threads: pthread_create of this program, of oneTBB's too, fails when it is
// told to. A test that lets it fail belongs into a process of its own (child_process.h), because
// oneTBB remembers.
//
// Thread safety: all functions may be called from any thread. Blocking: none. Errors: EAGAIN, from
// the calls that are to fail.

#ifndef FOXTIVE_TESTS_SUPPORT_THREAD_FAULTS_H_
#define FOXTIVE_TESTS_SUPPORT_THREAD_FAULTS_H_

#include <cstdint>
#include <limits>

namespace foxtive::test {

inline constexpr int64_t kForEver = std::numeric_limits<int64_t>::max() / 2;

// From now on `first - 1` more calls work, then `count` fail, then all work again.
void FailThreads(int64_t first, int64_t count);

// All work from now on.
void GiveThreads();

// How many calls have failed since the program began.
int64_t FailedThreads();

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_THREAD_FAULTS_H_
