// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/task_settings.h"

#include <set>
#include <utility>

#include "absl/status/status.h"
#include "lib/shell/engine.h"
#include "lib/shell/real_time.h"

namespace foxtive::internal {
namespace {

uint32_t BitsOf(const std::set<absl::StatusCode>& codes) {
  uint32_t bits = 0;
  for (const absl::StatusCode code : codes) bits |= uint32_t{1} << static_cast<uint32_t>(code);
  return bits;
}

TaskSettings Made(const TaskSpec& spec, absl::Duration default_stop_timeout) {
  const bool custom = spec.backoff.is_custom();
  return {.rules = {.policy = spec.restart_policy,
                    .restart_on = spec.restart_on,
                    .retry_setup = spec.retry_setup,
                    .permanent_errors = BitsOf(spec.permanent_errors)},
          .backoff = custom ? BackoffStrategy::Exponential() : spec.backoff,
          .never_delays = spec.backoff == BackoffStrategy::Constant(absl::ZeroDuration()),
          .jitter = spec.backoff.jitter(),
          .stable_after_nanos = After(0, spec.stable_after),
          .initial_delay = spec.initial_delay,
          .stop_timeout = spec.stop_timeout.value_or(default_stop_timeout),
          .stop_order = spec.stop_order};
}

}  // namespace

SettingsRef SettingsPool::SettingsOf(const TaskSpec& spec, Engine& engine) {
  TaskSettings made = Made(spec, engine.shutdown_timeout());
  {
    MutexLock lock(mutex_);
    for (const SettingsRef& known : last_) {
      if (known && *known == made) return known;
    }
  }
  SettingsRef settings(*new SharedSettings(std::move(made), engine));
  SettingsRef replaced = settings;
  MutexLock lock(mutex_);
  std::swap(last_[next_], replaced);
  next_ = (next_ + 1) % kRemembered;
  return settings;
}

void SettingsPool::Forget() {
  std::array<SettingsRef, kRemembered> forgotten;
  MutexLock lock(mutex_);
  last_.swap(forgotten);
}

}  // namespace foxtive::internal
