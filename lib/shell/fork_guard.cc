// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/fork_guard.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "lib/shell/capacity_registry.h"

namespace foxtive::internal {
namespace {

// Each is set and never cleared, and a child inherits it.
constinit std::atomic<bool> used{false};
constinit std::atomic<bool> one_tbb_ran{false};   // before any use of ours
constinit std::atomic<bool> one_tbb_lost{false};  // ran in a process that this one comes from

// In the parent, where oneTBB and the loader may be asked.
void BeforeFork() {
  if (used || one_tbb_ran) return;
  if (CapacityRegistry::HostMayHaveRunOneTbb()) one_tbb_ran = true;
}

void InChild() {
  if (used) in_fork_child = true;
  if (one_tbb_ran) one_tbb_lost = true;
}

// Fails only without memory while the program is loaded.
[[maybe_unused]] const int registered = pthread_atfork(&BeforeFork, nullptr, &InChild);

absl::Status Refused(const char* why) noexcept {
  try {
    return absl::FailedPreconditionError(why);
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kFailedPrecondition, "");
  }
}

}  // namespace

absl::Status ForkChildError() noexcept {
  return Refused(
      "this process is a fork of one that had used the library, whose threads do not exist here: "
      "create the first Supervisor after fork() or daemon()");
}

absl::Status BeginUse() {
  if (InForkChild()) return ForkChildError();
  if (one_tbb_lost) {
    return Refused(
        "this process is a fork of one in which oneTBB was in use, whose threads do not exist "
        "here: use oneTBB, and create the first Supervisor, after fork() or daemon()");
  }
  used = true;
  return absl::OkStatus();
}

void EndForkChild(bool succeeded) noexcept { _exit(succeeded ? EXIT_SUCCESS : EXIT_FAILURE); }

}  // namespace foxtive::internal
