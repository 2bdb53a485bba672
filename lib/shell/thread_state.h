// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// ThreadState: what the library knows of each thread. All of it is in one place, so that a
// simulation, whose threads take turns on a thread of the system, can give each its own.
//
// Thread safety: a thread uses its own only.

#ifndef FOXTIVE_LIB_SHELL_THREAD_STATE_H_
#define FOXTIVE_LIB_SHELL_THREAD_STATE_H_

#include <unistd.h>

namespace foxtive::internal {

class FinishedCallScope;
class ThreadParker;
class UserCodeScope;

struct ThreadState {
  const UserCodeScope* user_code = nullptr;          // the innermost one
  const FinishedCallScope* finished_call = nullptr;  // the innermost one
  ThreadParker* parker = nullptr;                    // from the first wait on
  int thread_id = 0;                                 // the system's, from the first question on
};

inline constinit thread_local ThreadState this_thread_state;

inline int ThisThreadId() {
  if (this_thread_state.thread_id == 0) this_thread_state.thread_id = gettid();
  return this_thread_state.thread_id;
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_THREAD_STATE_H_
