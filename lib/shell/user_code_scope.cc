// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/user_code_scope.h"

namespace foxtive::internal {
namespace {

thread_local const UserCodeScope* innermost_scope = nullptr;

}  // namespace

UserCodeScope::UserCodeScope(const Engine* engine, const TaskRecord* record)
    : outer_(innermost_scope), engine_(engine), record_(record) {
  innermost_scope = this;
}

UserCodeScope::~UserCodeScope() { innermost_scope = outer_; }

bool UserCodeScope::InsideOf(const TaskRecord& record) {
  for (const UserCodeScope* scope = innermost_scope; scope != nullptr; scope = scope->outer_) {
    if (scope->record_ == &record) return true;
  }
  return false;
}

bool UserCodeScope::InsideOf(const Engine& engine) {
  for (const UserCodeScope* scope = innermost_scope; scope != nullptr; scope = scope->outer_) {
    if (scope->engine_ == &engine) return true;
  }
  return false;
}

const TaskRecord* UserCodeScope::TaskOf(const Engine& engine) {
  for (const UserCodeScope* scope = innermost_scope; scope != nullptr; scope = scope->outer_) {
    if (scope->engine_ == &engine) return scope->record_;
  }
  return nullptr;
}

}  // namespace foxtive::internal
