// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Puts itself in front of the mutexes of the library and of pthread in a program: wherever the last
// mutex is let go of, the thread of a simulation may be left, and another one goes on. That is
// where threads of a real program get in each other's way; and never while a mutex is held, so no
// thread ever waits for one. To be linked with PREEMPTED of wrapped.bzl.

#ifndef FOXTIVE_TESTS_SIMULATOR_PREEMPTION_H_
#define FOXTIVE_TESTS_SIMULATOR_PREEMPTION_H_

namespace foxtive::test {

// By the simulated thread that runs; the others hold none.
int MutexesHeld();

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SIMULATOR_PREEMPTION_H_
