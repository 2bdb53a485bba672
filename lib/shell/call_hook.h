// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// How a record calls the hooks of its task.

#ifndef FOXTIVE_LIB_SHELL_CALL_HOOK_H_
#define FOXTIVE_LIB_SHELL_CALL_HOOK_H_

#include "foxtive/task_info.h"
#include "lib/shell/caught.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/task_record.h"

namespace foxtive::internal {

// Passes `hook`, unless it is empty, to `call`. False: that threw, which is counted and reported.
template <typename Hook, typename Call>
bool TaskRecord::CallHook(const char* hook_name, Hook& hook, Call call) {
  if constexpr (requires { static_cast<bool>(hook); }) {
    if (!hook) return true;
  }
  const Failure failure = Guarded([&] {
    call(hook);
    return absl::OkStatus();
  });
  EndIfForkChild(failure.status.ok());
  if (failure.exception != nullptr) HookThrew(hook_name, failure);
  return failure.exception == nullptr;
}

// The same on the lane, between attempts.
template <typename Hook, typename Call>
bool TaskRecord::CallLaneHook(const char* hook_name, Hook& hook, Call call) {
  const TaskPhase before = phase_.load(std::memory_order_relaxed);
  Enter(TaskPhase::kHook);
  const bool returned = CallHook(hook_name, hook, call);
  Enter(before);
  return returned;
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_CALL_HOOK_H_
