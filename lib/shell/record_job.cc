// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/record_job.h"

#include "lib/shell/task_record.h"

namespace foxtive::internal {

template <JobKind kKind>
Job::Outcome RecordJob<kKind>::Run() noexcept {
  TaskRecord& record = static_cast<TaskRecord&>(*this);
  if constexpr (kKind == JobKind::kAttempt) {
    return record.RunOnLane();
  } else {
    return record.RunService();
  }
}

template <JobKind kKind>
void RecordJob<kKind>::Release() noexcept {
  static_cast<TaskRecord&>(*this).ReleaseOnLane();
}

template <JobKind kKind>
std::string_view RecordJob<kKind>::thread_name() const noexcept {
  return static_cast<const TaskRecord&>(*this).name();
}

// Whoever sees the time of a stop sees the stop.
template <JobKind kKind>
int64_t RecordJob<kKind>::queued_at_nanos() const noexcept {
  const auto& record = static_cast<const TaskRecord&>(*this);
  const int64_t since = record.since_nanos_.load(std::memory_order_acquire);
  return record.stop_requested() ? kNotWaiting : since;
}

template class RecordJob<JobKind::kAttempt>;
template class RecordJob<JobKind::kService>;

}  // namespace foxtive::internal
