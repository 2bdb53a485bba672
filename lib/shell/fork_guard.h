// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// ForkGuard: what a child of fork() may still do with the library, which is nothing, at once.
//
// A child has one thread, the copy of the one that forked. Whatever another thread had locked at
// that moment stays locked, and monitor, lanes and oneTBB's threads are not there. So once a
// process has used the library (`Create` was called, whatever came of it), in its children
//
//   every public function   asks InForkChild first, before any lock, and refuses
//   destructors             leave everything as it is: it is leaked, user objects included
//   code of a task          that forked may exec and _exit; if the child returns from it, it would
//                           go on as a lane, so it ends there (EndForkChild)
//
// How a process knows. Handlers of pthread_atfork, registered when the library is loaded:
//
//   used here ──────────────── fork ─▶ child: InForkChild, and so are its children
//   oneTBB ran, not we ─ noted before fork ─▶ child, and its children: Create is refused
//   neither ────────────────── fork ─▶ child: as new
//
// InForkChild costs one load. Asking getpid each time would be a system call (0.35 us where it was
// measured) on calls that take less. The price: the handlers run in fork and daemon alone. vfork,
// posix_spawn, system and popen need none, since their children exec; after _Fork or a bare clone
// only async-signal-safe functions may be called, so none of ours.
//
// Whether oneTBB ran. It does not say so itself; what can be seen from outside, at the fork:
//   - the thread that forks belongs to an arena: oneTBB has run;
//   - the process may have other threads (a glibc variable) and oneTBB's allocator is loaded, which
//     oneTBB does when it starts: it may have run, on another thread.
// Seen also, and refused though it would have worked: a process with threads that used oneTBB's
// containers, allocator or control only. Not seen: a use of oneTBB by another thread where its
// allocator is not installed; a library that is loaded in the child only. Never refused: a process
// that did not come from a fork, or from one by a process of one thread without oneTBB.
//
// Thread safety: any thread. Blocking: nothing blocks. InForkChild may be asked in signal handlers.

#ifndef FOXTIVE_LIB_SHELL_FORK_GUARD_H_
#define FOXTIVE_LIB_SHELL_FORK_GUARD_H_

#include <atomic>

#include "absl/status/status.h"

namespace foxtive::internal {

// Set in a child before anything else runs in it.
inline constinit std::atomic<bool> in_fork_child{false};

// Relaxed: set when the process has one thread only; later ones are created after that.
inline bool InForkChild() { return in_fork_child.load(std::memory_order_relaxed); }

// What public functions answer then.
absl::Status ForkChildError() noexcept;

// Before the first lock, thread or use of oneTBB: notes that this process uses the library. Else
// `kFailedPrecondition`: it can't, because it is the child of one that had.
absl::Status BeginUse();

// Ends a child that comes back from the code of a task, with exit code 0 or 1, without exit
// handlers: those, and what is buffered for output, are the parent's.
[[noreturn]] void EndForkChild(bool succeeded) noexcept;

// After each piece of the code of a task, before any lock.
inline void EndIfForkChild(bool succeeded = true) noexcept {
  if (InForkChild()) EndForkChild(succeeded);
}

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_FORK_GUARD_H_
