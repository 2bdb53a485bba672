// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// StopCallback: what a worker leaves with `TaskContext::OnStop`, to be called when it is asked to
// stop.
//
// It is called once, on a thread of the library, beside `run`; those of one task one after the
// other, and those of other tasks are not held back. If the task has been asked to stop already it
// is called at once, by the thread that makes it.
//
// Lifetime: call is made only while this lives. The destructor waits until a call that is under way
// has returned, unless it is that call which destroys it. Thread safety: as std::stop_callback,
// which it is. Blocking: the callback may block, and holds back the other callbacks of its task and
// its `on_shutdown`. Errors: what it throws is caught, counted (`TaskInfo::hook_failures`) and
// reported as of a hook. Making one throws what copying or moving the callable throws, and
// std::bad_alloc.
//
//   const auto on_stop = context.OnStop([&] { shutdown(socket, SHUT_RDWR); });

#ifndef FOXTIVE_STOP_CALLBACK_H_
#define FOXTIVE_STOP_CALLBACK_H_

#include <stop_token>

namespace foxtive {

namespace internal {

class TaskRecord;

template <typename Callback>
struct OnStopCall {
  void operator()() noexcept {
    call_hook(
        record, [](void* of_this) { (*static_cast<Callback*>(of_this))(); }, &callback);
  }

  // Of TaskContext, which calls `call(callback)` as a hook of the task.
  void (*call_hook)(TaskRecord& record, void (*call)(void* callback), void* callback) noexcept;
  TaskRecord& record;
  Callback callback;
};

}  // namespace internal

template <typename Callback>
using StopCallback = std::stop_callback<internal::OnStopCall<Callback>>;

}  // namespace foxtive

#endif  // FOXTIVE_STOP_CALLBACK_H_
