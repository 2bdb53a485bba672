// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskSettings: what a TaskSpec says besides name, worker, hooks and timeouts of attempts. Most
// programs have many tasks that differ in nothing of it, so their records share one, and with it
// the Supervisor that they belong to.
//
// Nothing in it is the user's code: a `Custom` backoff is with the hooks, and goes when they go.
//
// Ownership: records keep their settings, and these the Engine. The Engine's own pool keeps some
// too, so that ends with the Supervisor (Forget).
//
// Thread safety: immutable; SettingsPool any thread. Locks: one mutex, leaf.

#ifndef FOXTIVE_LIB_SHELL_TASK_SETTINGS_H_
#define FOXTIVE_LIB_SHELL_TASK_SETTINGS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/task_spec.h"
#include "lib/core/lifecycle.h"
#include "lib/core/ref.h"
#include "lib/shell/engine_ref.h"
#include "lib/shell/mutex.h"

namespace foxtive::internal {

struct TaskSettings {
  RestartRules rules;
  BackoffStrategy backoff;  // if it is no `Custom` one
  bool never_delays;        // that is Constant(0)
  double jitter;
  int64_t stable_after_nanos;
  absl::Duration initial_delay;
  absl::Duration stop_timeout;
  int stop_order;

  friend bool operator==(const TaskSettings&, const TaskSettings&) = default;
};

struct SharedSettings : TaskSettings {
  SharedSettings(TaskSettings&& settings, Engine& its_engine)
      : TaskSettings(std::move(settings)), engine(its_engine) {}
  const EngineRef engine;
  mutable std::atomic<int64_t> keepers{0};
};
using SettingsRef = Ref<const SharedSettings>;

inline void Keep(const SharedSettings& settings) {
  settings.keepers.fetch_add(1, std::memory_order_relaxed);
}
inline void LetGo(const SharedSettings& settings) {
  if (settings.keepers.fetch_sub(1, std::memory_order_acq_rel) == 1) delete &settings;
}

// Those of one Supervisor.
class SettingsPool {
 public:
  // Those of `spec`, shared with one of the last tasks if they are the same. May throw
  // std::bad_alloc.
  SettingsRef SettingsOf(const TaskSpec& spec, Engine& engine) ABSL_LOCKS_EXCLUDED(mutex_);

  // REQUIRES: no task comes any more.
  void Forget() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // So many kinds of tasks may be submitted by turns.
  static constexpr size_t kRemembered = 4;

  Mutex mutex_;
  std::array<SettingsRef, kRemembered> last_ ABSL_GUARDED_BY(mutex_);
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_TASK_SETTINGS_H_
