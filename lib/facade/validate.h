// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a Supervisor refuses: `kInvalidArgument`, naming the field and the value.

#ifndef FOXTIVE_LIB_FACADE_VALIDATE_H_
#define FOXTIVE_LIB_FACADE_VALIDATE_H_

#include "absl/status/status.h"
#include "foxtive/supervisor.h"
#include "foxtive/task_spec.h"

namespace foxtive::internal {

// The `run` that MakeTaskSpec makes of no task, so that it can be told from one that was forgotten.
struct NullTask {
  static RunFunction Run();
  static bool Made(const RunFunction& run) { return run.of_null_task_; }
};

absl::Status Validate(const TaskSpec& spec);
absl::Status Validate(const SupervisorOptions& options);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_FACADE_VALIDATE_H_
