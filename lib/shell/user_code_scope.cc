// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/user_code_scope.h"

#include <atomic>

#include "lib/shell/thread_state.h"

namespace foxtive::internal {

UserCodeScope::UserCodeScope(const Engine* engine, const TaskRecord* record)
    : outer_(this_thread_state.user_code), engine_(engine), record_(record) {
  std::atomic_signal_fence(std::memory_order_release);
  this_thread_state.user_code = this;
}

UserCodeScope::~UserCodeScope() {
  this_thread_state.user_code = outer_;
  std::atomic_signal_fence(std::memory_order_release);
}

bool UserCodeScope::InsideOf(const TaskRecord& record) {
  for (const UserCodeScope* scope = this_thread_state.user_code; scope != nullptr;
       scope = scope->outer_) {
    if (scope->record_ == &record) return true;
  }
  return false;
}

bool UserCodeScope::InsideOf(const Engine& engine) {
  for (const UserCodeScope* scope = this_thread_state.user_code; scope != nullptr;
       scope = scope->outer_) {
    if (scope->engine_ == &engine) return true;
  }
  return false;
}

const TaskRecord* UserCodeScope::TaskOf(const Engine& engine) {
  for (const UserCodeScope* scope = this_thread_state.user_code; scope != nullptr;
       scope = scope->outer_) {
    if (scope->engine_ == &engine) return scope->record_;
  }
  return nullptr;
}

bool UserCodeScope::InsideOfListenerOf(const Engine& engine) {
  for (const UserCodeScope* scope = this_thread_state.user_code; scope != nullptr;
       scope = scope->outer_) {
    if (scope->engine_ == &engine && scope->record_ == nullptr) return true;
  }
  return false;
}

}  // namespace foxtive::internal
