// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/job.h"

#include <type_traits>

#include "lib/shell/record_job.h"

namespace foxtive::internal {
namespace {

template <typename Base, typename Derived>
using WithConstOf = std::conditional_t<std::is_const_v<Base>, const Derived, Derived>;

// Calls `call` with `job` as what it is.
template <typename AnyJob, typename Call>
auto As(JobKind kind, AnyJob& job, Call call) {
  switch (kind) {
    case JobKind::kAttempt:
      return call(static_cast<WithConstOf<AnyJob, RecordJob<JobKind::kAttempt>>&>(job));
    case JobKind::kService:
      return call(static_cast<WithConstOf<AnyJob, RecordJob<JobKind::kService>>&>(job));
    case JobKind::kCustom:
      break;
  }
  return call(static_cast<WithConstOf<AnyJob, CustomJob>&>(job));
}

}  // namespace

Job::Outcome Job::Run() noexcept {
  return As(kind_, *this, [](auto& job) { return job.Run(); });
}

void Job::Release() noexcept {
  As(kind_, *this, [](auto& job) { job.Release(); });
}

std::string_view Job::thread_name() const noexcept {
  return As(kind_, *this, [](const auto& job) { return job.thread_name(); });
}

int64_t Job::queued_at_nanos() const noexcept {
  if (kind_ != JobKind::kAttempt) return kNotWaiting;
  return static_cast<const RecordJob<JobKind::kAttempt>&>(*this).queued_at_nanos();
}

}  // namespace foxtive::internal
