// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/task_context.h"

#include "lib/shell/fork_guard.h"
#include "lib/shell/task_record.h"

namespace foxtive {

using internal::InForkChild;

std::string_view TaskContext::name() const { return record_.name(); }

std::stop_token TaskContext::stop_token() const {
  return InForkChild() ? std::stop_token() : record_.StopToken();
}

bool TaskContext::stop_requested() const { return !InForkChild() && record_.stop_requested(); }

bool TaskContext::SleepFor(absl::Duration duration) const {
  return !InForkChild() && record_.SleepFor(duration);
}

void TaskContext::MarkHealthy() const {
  if (!InForkChild()) record_.MarkHealthy();
}

}  // namespace foxtive
