// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What few records have, so that all others have one pointer for it. Tasks with hooks, or with a
// timeout of attempts, have it from the beginning; others from when it is needed first, or never.

#ifndef FOXTIVE_LIB_SHELL_RECORD_EXTRAS_H_
#define FOXTIVE_LIB_SHELL_RECORD_EXTRAS_H_

#include <cstdint>
#include <future>
#include <memory>
#include <stop_token>
#include <utility>

#include "foxtive/backoff_strategy.h"
#include "foxtive/stack_trace.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_spec.h"
#include "lib/core/attempt_log.h"
#include "lib/shell/attempt_watch.h"
#include "lib/shell/finished_call.h"
#include "lib/shell/wait_breaker.h"

namespace foxtive::internal {

// All that publication to a future needs.
struct FutureState {
  std::promise<SupervisionResult> promise;
  std::shared_future<SupervisionResult> future = promise.get_future().share();
  SupervisionResult result;  // with the name
};

// Of the user's code. Belongs to whoever holds the task.
struct UserParts {
  TaskHooks hooks;
  BackoffStrategy backoff;  // if it is a Custom one
};

// Until the record goes. Guarded by the record's mutex, but for the two pointers that come first.
struct RecordExtras {
  std::unique_ptr<UserParts> user;      // null: there are none, or no more
  std::unique_ptr<AttemptWatch> watch;  // immutable; null: attempts have no timeout

  std::shared_ptr<WaitBreaker> breaker;     // from the first wait on that needs one
  std::stop_source stop{std::nostopstate};  // from the first token on
  std::unique_ptr<FutureState> future;
  std::unique_ptr<FinishedCall> calls;      // the last one first
  std::shared_ptr<const StackTrace> stack;  // the last one that was taken
  int64_t stack_attempt = 0;                // in which attempt
  std::unique_ptr<AttemptLog> log;          // from the second attempt on
  int64_t hook_failures = 0;
};

// Those of a record, and what is to become a part of them. Whatever is left over, or replaced,
// stays with `made`, to be destroyed after the lock.
using ExtrasPointer = std::unique_ptr<RecordExtras>;

inline void Adopt(ExtrasPointer& extras, ExtrasPointer&& made) {
  if (extras == nullptr) {
    extras = std::move(made);
    return;
  }
  if (extras->breaker == nullptr) extras->breaker = std::move(made->breaker);
  if (!extras->stop.stop_possible()) extras->stop.swap(made->stop);
  if (extras->future == nullptr) extras->future = std::move(made->future);
  if (extras->log == nullptr) extras->log = std::move(made->log);
  if (made->stack != nullptr) {
    extras->stack.swap(made->stack);
    extras->stack_attempt = made->stack_attempt;
  }
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_RECORD_EXTRAS_H_
