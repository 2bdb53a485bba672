// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the public functions accept; the rest is in shell/signal_wait.h and
// shell/shutdown_signals.h.

#include "foxtive/signals.h"

#include <pthread.h>

#include <csignal>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "foxtive/clock.h"
#include "foxtive/supervisor.h"
#include "lib/shell/caught.h"
#include "lib/shell/real_time.h"
#include "lib/shell/shutdown_signals.h"
#include "lib/shell/signal_wait.h"
#include "lib/shell/thread_setup.h"

namespace foxtive {
namespace {

// Nothing: it can be waited for.
const char* WhyNot(int signal) {
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
      return "can't be blocked or handled";
    default:
      break;
  }
  for (const int fault : internal::kFaultSignals) {
    if (signal == fault) return "is raised by a fault, at the thread that made it";
  }
  if (signal < 1 || signal > SIGRTMAX) return "is not the number of a signal";
  return signal >= 32 && signal < SIGRTMIN ? "belongs to the C library" : nullptr;
}

absl::Status ToSet(absl::Span<const int> signals, sigset_t& set) {
  sigemptyset(&set);
  if (signals.empty()) return absl::InvalidArgumentError("signals: {} is empty");
  for (size_t i = 0; i < signals.size(); ++i) {
    if (const char* const why = WhyNot(signals[i]); why != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("signals[", i, "]: ", signals[i], " ", why));
    }
    sigaddset(&set, signals[i]);
  }
  return absl::OkStatus();
}

absl::Status CheckOpenHere(absl::Span<const int> signals) {
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  for (size_t i = 0; i < signals.size(); ++i) {
    if (sigismember(&blocked, signals[i]) != 1) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("signals[", i, "]: ", signals[i],
                     " is blocked in this thread, so no handler would see it: unblock it, or use "
                     "WaitForSignal"));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> BlockAndTake(const sigset_t& set, absl::Duration timeout) {
  const int64_t deadline = internal::After(internal::RealClock().NowNanos(), timeout);
  if (const std::string thread = internal::ThreadThatTakes(set); !thread.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("WaitForSignal: too late, ", thread,
                     " and might get it: call BlockSignals before the first thread is created"));
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int signal = internal::TakeSignal(set, deadline);
  if (signal != 0) return signal;
  return absl::DeadlineExceededError(
      absl::StrCat("WaitForSignal: none after ", absl::FormatDuration(timeout)));
}

}  // namespace

absl::Status BlockSignals(absl::Span<const int> signals) {
  try {
    sigset_t set;
    if (absl::Status status = ToSet(signals, set); !status.ok()) return status;
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return absl::OkStatus();
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

absl::StatusOr<int> WaitForSignal(absl::Span<const int> signals, absl::Duration timeout) {
  try {
    sigset_t set;
    if (absl::Status status = ToSet(signals, set); !status.ok()) return status;
    return BlockAndTake(set, timeout);
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

absl::Status ShutdownOnSignal(Supervisor& supervisor, absl::Span<const int> signals) {
  if (absl::Status status = supervisor.CheckUsable(); !status.ok()) return status;
  try {
    sigset_t set;
    if (absl::Status status = ToSet(signals, set); !status.ok()) return status;
    if (absl::Status status = CheckOpenHere(signals); !status.ok()) return status;
    return internal::SubscribeSignals(*supervisor.engine_, set);
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

}  // namespace foxtive
