// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// UserCodeScope: marks the thread as running code of the user, for a task or as a listener, so that
// a call which would wait for itself can be refused, and a Supervisor that is destroyed by its own
// worker does not wait for that one.
//
// Thread safety: a scope belongs to its thread. Scopes nest: the code of a task may destroy what
// belongs to a task of another Supervisor. May be asked in a handler of a signal: a scope is linked
// when it is complete. Blocking, allocation, errors: none.

#ifndef FOXTIVE_LIB_SHELL_USER_CODE_SCOPE_H_
#define FOXTIVE_LIB_SHELL_USER_CODE_SCOPE_H_

namespace foxtive::internal {

class Engine;
class TaskRecord;

class UserCodeScope {
 public:
  // `record`: null for the listener.
  UserCodeScope(const Engine* engine, const TaskRecord* record);
  ~UserCodeScope();
  UserCodeScope(const UserCodeScope&) = delete;
  UserCodeScope& operator=(const UserCodeScope&) = delete;

  static bool InsideOf(const TaskRecord& record);
  static bool InsideOf(const Engine& engine);
  // The task of `engine` whose code runs here, the innermost one; null if none, or its listener.
  static const TaskRecord* TaskOf(const Engine& engine);
  // Whether this thread is inside of a delivery to the listener of `engine`.
  static bool InsideOfListenerOf(const Engine& engine);

 private:
  const UserCodeScope* const outer_;
  const Engine* const engine_;
  const TaskRecord* const record_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_USER_CODE_SCOPE_H_
