// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// SpawnSupervised: starts a task without a Supervisor of one's own: on `Supervisor::Default()`,
// which the whole process shares.
//
// Lifetime: the task runs until it is over or stopped, and does not keep the process from exiting:
// when `main` returns it is not asked to stop, it ends with the process. To stop it in order, ask
// its handle, or `Supervisor::Default()` to shut down; that one can't be started again.
// Thread safety: any thread.
// Blocking: the first call starts the Supervisor, as `Supervisor::Create` does; else it does not
// block.
// Errors: those of `Supervisor::Submit`, and of `Supervisor::Create` if there is no Supervisor yet
// and it can't be started; the next call tries that again. Nothing is thrown. Names are unique
// among all unfinished tasks that are spawned in this process, so a library gives its own a prefix.
//
// Example:
//
//   absl::StatusOr<foxtive::TaskHandle> flusher =
//       foxtive::SpawnSupervised("metrics.flush", [](foxtive::TaskContext& context) {
//         while (context.SleepFor(absl::Seconds(10))) Flush();
//       });

#ifndef FOXTIVE_SPAWN_H_
#define FOXTIVE_SPAWN_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "foxtive/run_function.h"
#include "foxtive/supervised_task.h"
#include "foxtive/task_handle.h"
#include "foxtive/task_spec.h"

namespace foxtive {

absl::StatusOr<TaskHandle> SpawnSupervised(TaskSpec spec);
absl::StatusOr<TaskHandle> SpawnSupervised(std::string name, RunFunction run);
absl::StatusOr<TaskHandle> SpawnSupervised(std::shared_ptr<SupervisedTask> task);

// All or none: if one is refused, none is started. The handles are in the order of `specs`. See
// `Supervisor::RegisterAll` for what is refused.
absl::StatusOr<std::vector<TaskHandle>> SpawnSupervisedMany(std::vector<TaskSpec> specs);

}  // namespace foxtive

#endif  // FOXTIVE_SPAWN_H_
