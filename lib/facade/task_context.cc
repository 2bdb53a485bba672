// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/task_context.h"

#include "lib/shell/task_record.h"

namespace foxtive {

std::string_view TaskContext::name() const { return record_.name(); }

std::stop_token TaskContext::stop_token() const { return record_.StopToken(); }

bool TaskContext::stop_requested() const { return record_.stop_requested(); }

bool TaskContext::SleepFor(absl::Duration duration) const { return record_.SleepFor(duration); }

void TaskContext::MarkHealthy() const { record_.MarkHealthy(); }

}  // namespace foxtive
