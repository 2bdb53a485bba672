// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/task_context.h"

#include <poll.h>

#include "lib/shell/fork_guard.h"
#include "lib/shell/task_record.h"

namespace foxtive {

using internal::InForkChild;

std::string_view TaskContext::name() const { return record_.name(); }

std::stop_token TaskContext::stop_token() const {
  return InForkChild() ? std::stop_token() : record_.StopToken();
}

bool TaskContext::stop_requested() const { return !InForkChild() && record_.run_stopped(); }

bool TaskContext::SleepFor(absl::Duration duration) const {
  return !InForkChild() && record_.SleepFor(duration);
}

void TaskContext::MarkHealthy() const {
  if (!InForkChild()) record_.MarkHealthy();
}

void TaskContext::Heartbeat() const {
  if (!InForkChild()) record_.Heartbeat();
}

absl::Status TaskContext::WaitReadable(int fd, absl::Duration timeout) const {
  if (InForkChild()) return internal::ForkChildError();
  return record_.AwaitDescriptor(fd, POLLIN, timeout);
}

absl::Status TaskContext::WaitWritable(int fd, absl::Duration timeout) const {
  if (InForkChild()) return internal::ForkChildError();
  return record_.AwaitDescriptor(fd, POLLOUT, timeout);
}

// A stop that has come already is told at once. The task's own token may not have fired yet: a
// service lane sees to that.
std::stop_token TaskContext::TokenForCallback() const {
  std::stop_token token = stop_token();
  if (token.stop_requested() || !stop_requested()) return token;
  std::stop_source fired;
  fired.request_stop();
  return fired.get_token();
}

void TaskContext::CallOnStop(internal::TaskRecord& record, void (*call)(void*),
                             void* callback) noexcept {
  record.CallOnStop(call, callback);
}

internal::ConditionWait TaskContext::BeginWait(absl::Duration timeout) const {
  if (InForkChild()) return {.refused = internal::ForkChildError()};
  return record_.BeginWait(timeout);
}

bool TaskContext::AwaitTurn(const internal::ConditionWait& wait) const {
  return record_.AwaitTurn(wait.deadline_nanos);
}

absl::Status TaskContext::EndWait(bool ready) const { return record_.EndWait(ready); }

}  // namespace foxtive
