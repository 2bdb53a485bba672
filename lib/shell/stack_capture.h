// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// StackCapture: where another thread of this process is, by a signal that it handles.
//
//   asker                                               the thread, in the handler
//   waits for its turn; the slot: kAsked ── signal ──▶  kTaken: unwinds into the slot
//   parks until kDone, or the deadline   ◀── unpark ──  kDone
//   reads the slot: kFree
//
// If the deadline comes first: kAsked ─▶ kFree, and a signal that comes later finds nothing to do.
// If the handler unwinds just then the asker waits for that, which takes microseconds. Why there is
// no answer is read from what the kernel says of the thread: the signal is blocked, the thread is
// gone, or it is in a wait that no signal interrupts.
//
// The handler is async-signal-safe: it uses atomics, memory that is there, the unwinder of gcc, and
// a futex. The unwinder is called once before, so that it is loaded, and has its tables from glibc
// (2.35 or later) without a lock. It follows unwind tables, so it needs no frame pointers. Text is
// made by the asker.
//
// The signal is one for the process, chosen by the first Supervisor that has one. The threads of
// the library let it through; its handler stays for good, so that a late one never meets the
// default action. A signal of that number which is not ours is ignored.
//
// Thread safety: any thread. Locks: one mutex, leaf, for whose turn it is.

#ifndef FOXTIVE_LIB_SHELL_STACK_CAPTURE_H_
#define FOXTIVE_LIB_SHELL_STACK_CAPTURE_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "foxtive/stack_trace.h"

namespace foxtive::internal {

class TaskRecord;

// Addresses, innermost first: of an instruction, or of the last byte of a call.
struct RawStack {
  static constexpr size_t kMaxFrames = 64;

  std::array<uintptr_t, kMaxFrames> addresses;
  size_t size = 0;
  bool cut = false;  // there are more
};

// Makes `signal` the one for this, for good. `kInvalidArgument`: it can't be handled, or is one
// that a fault raises. `kAlreadyExists`: the program handles it. `kFailedPrecondition`: another one
// has been chosen.
absl::Status InstallStackSignal(int signal);

// A request for the stack of one thread.
class StackRequest {
 public:
  // 0, or the number of the error: ESRCH: there is no such thread; EAGAIN: too many signals wait.
  int SendTo(pid_t thread) const;
};

// What a thread does for `record`, if it still does when it is asked. `send` sends the request; if
// it says why it can't, that is the answer. Waits until the deadline, in real time.
// `kUnavailable`, with the reason: no answer. `kAborted`: the thread has gone on.
// REQUIRES: InstallStackSignal has succeeded.
absl::StatusOr<RawStack> CaptureStack(
    const TaskRecord& record,
    absl::FunctionRef<absl::StatusOr<pid_t>(const StackRequest& request)> send,
    int64_t real_deadline_nanos);

// With names. Throws std::bad_alloc.
StackTrace Symbolize(const RawStack& stack);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_STACK_CAPTURE_H_
