// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The Supervisor that a process shares, and the functions that start tasks on it.

#include "foxtive/spawn.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "foxtive/supervisor.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/mutex.h"

namespace foxtive {
namespace {

// Neither has a constructor or a destructor that runs: both may be used before `main` and while the
// process exits.
ABSL_CONST_INIT internal::Mutex g_mutex;
ABSL_CONST_INIT Supervisor* g_default ABSL_GUARDED_BY(g_mutex) = nullptr;

}  // namespace

absl::StatusOr<Supervisor*> Supervisor::Default() {
  // Before the lock: so whoever is forked while it is held knows not to touch it.
  if (absl::Status status = internal::BeginUse(); !status.ok()) return status;
  internal::MutexLock lock(g_mutex);
  if (g_default == nullptr) {
    absl::StatusOr<std::unique_ptr<Supervisor>> created = Create(SupervisorOptions{});
    if (!created.ok()) return created.status();
    g_default = created->release();
  }
  return g_default;
}

absl::StatusOr<TaskHandle> SpawnSupervised(TaskSpec spec) {
  const absl::StatusOr<Supervisor*> supervisor = Supervisor::Default();
  if (!supervisor.ok()) return supervisor.status();
  return (*supervisor)->Submit(std::move(spec));
}

absl::StatusOr<TaskHandle> SpawnSupervised(std::string name, RunFunction run) {
  return SpawnSupervised(TaskSpec{.name = std::move(name), .run = std::move(run)});
}

absl::StatusOr<TaskHandle> SpawnSupervised(std::shared_ptr<SupervisedTask> task) {
  const absl::StatusOr<Supervisor*> supervisor = Supervisor::Default();
  if (!supervisor.ok()) return supervisor.status();
  return (*supervisor)->Submit(std::move(task));
}

absl::StatusOr<std::vector<TaskHandle>> SpawnSupervisedMany(std::vector<TaskSpec> specs) {
  const absl::StatusOr<Supervisor*> supervisor = Supervisor::Default();
  if (!supervisor.ok()) return supervisor.status();
  return (*supervisor)->AddAll(std::move(specs), /*start=*/true);
}

}  // namespace foxtive
