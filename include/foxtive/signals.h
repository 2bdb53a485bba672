// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Signals as programs with supervised threads want them. Two ways, for different signals or
// different programs:
//
//   WaitForSignal      `main` blocks until one comes, and decides what follows. For programs that
//                      are begun with it in mind: every thread has to block the signals.
//   ShutdownOnSignal   a signal shuts a Supervisor down, whatever the threads of the program do.
//                      For programs that exist already.
//
// Threads of the library block all asynchronous signals, so neither cares when the Supervisor was
// created.
//
//   int main() {
//     foxtive::BlockSignals({SIGINT, SIGTERM}).IgnoreError();  // before the first thread
//     foxtive::Supervisor supervisor;
//     ...
//     if (!foxtive::WaitForSignal({SIGINT, SIGTERM}).ok()) return 1;
//     return supervisor.Shutdown(absl::Seconds(10)).ok() ? 0 : 1;
//   }
//
// or, where `main` has something else to wait for:
//
//   foxtive::Supervisor supervisor;
//   if (!foxtive::ShutdownOnSignal(supervisor, {SIGINT, SIGTERM}).ok()) return 1;
//   ...
//   const auto results = supervisor.WaitAll();
//
// Thread safety: any thread may call any of them at once. Errors: `kInvalidArgument` names the
// signal that is none, that nobody can wait for (SIGKILL, SIGSTOP), or that a fault of a thread
// raises at that thread (SIGSEGV and its like), and nothing has changed then. None throws.

#ifndef FOXTIVE_SIGNALS_H_
#define FOXTIVE_SIGNALS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace foxtive {

class Supervisor;

// Blocks the signals in this thread and in those that it creates from now on, so that one that
// comes stays pending until `WaitForSignal` takes it. For the first line of `main`: then no thread
// is without it, and a signal that comes before the program is up is not lost and ends nothing.
// What `WaitForSignal` says of child processes goes for it too.
absl::Status BlockSignals(absl::Span<const int> signals);

// Blocks the signals in this thread, waits for one of them, and returns its number. They stay
// blocked: the next one is for the next call. Not woken by other signals, nor by `RequestStop`. A
// timeout of 0 or less takes one that is pending, else `kDeadlineExceeded`; so after `timeout`.
//
// `kFailedPrecondition`: it is too late, another thread does not block one of them, and so the
// system might give it to that thread, where its default ends the process. The message names the
// thread, and nothing has changed. Only what /proc shows of the threads at the beginning of the
// call is looked at.
//
// A signal that the process ignores, or has a handler for, is waited for like others. A program
// that this process starts inherits what is blocked, unless it is reset in between.
absl::StatusOr<int> WaitForSignal(absl::Span<const int> signals,
                                  absl::Duration timeout = absl::InfiniteDuration());

// From now on, until the Supervisor is destroyed, these signals are for it:
//
//   the first                        `RequestShutdown()`
//   one while a shutdown is on its   cuts that short: tasks that are not over are abandoned now,
//   way, whoever asked for it        and `Shutdown`, wherever it waits, returns and names them
//   whichever is next                does what it did before this call; by default the process ends
//
// Installs a handler, with SA_RESTART, and puts back what was there before unless somebody else has
// replaced it meanwhile. Does not block. May be called again, for more signals; of several
// Supervisors with the same signal each has its share. In a child of `fork` a signal does what it
// did before. The clock of the Supervisor, if it is your own, needs an `Unpark` that a signal
// handler may call.
//
// `kFailedPrecondition`: this thread blocks one of the signals, so that no handler would see it; or
// as every call to the Supervisor. `kResourceExhausted`: more than 32 Supervisors have signals.
absl::Status ShutdownOnSignal(Supervisor& supervisor, absl::Span<const int> signals);

}  // namespace foxtive

#endif  // FOXTIVE_SIGNALS_H_
