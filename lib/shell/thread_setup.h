// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// How the threads of the library are set up: names, and no asynchronous signals.

#ifndef FOXTIVE_LIB_SHELL_THREAD_SETUP_H_
#define FOXTIVE_LIB_SHELL_THREAD_SETUP_H_

#include <array>
#include <csignal>
#include <string_view>

namespace foxtive::internal {

// The thread sanitizer hides and delays some of what happens between threads, which is said where
// it matters.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#else
inline constexpr bool kThreadSanitizer = false;
#endif

// Signals that a fault raises, at the thread that made it.
inline constexpr std::array kFaultSignals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                                             SIGTRAP, SIGSYS, SIGABRT};

// Whether this thread blocks all other signals that have a name.
bool BlocksSignals();

// Blocks all signals on this thread but those that a fault of its own raises, so that the host's
// signals go to the host's threads; puts the mask back. A thread created meanwhile inherits it.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();

  // Blocks them again, whatever others have done to the mask meanwhile.
  void Renew();

  // Takes a SIGPIPE that has come, if the mask that is put back would let it through: a write to a
  // closed connection leaves it to the thread, and has said EPIPE.
  void DropBrokenPipe();

  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t former_;
};

// The one signal that is let through all the same, from now on, wherever the others are blocked
// (again): that of stack_capture.h. 0: none.
void LetSignalThrough(int signal);
int SignalLetThrough();

// What the system keeps of a thread's name, with the closing zero.
using ThreadName = std::array<char, 16>;

// The first 15 bytes, without half a character of UTF-8 at the end.
ThreadName CutThreadName(std::string_view name);

// Names this thread, as `top -H` and debuggers show it.
void NameThread(std::string_view name);

// Sets the timer slack of this thread to the minimum: a timed wait ends when it should, not up to
// 50 us later.
void MinimizeTimerSlack();

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_THREAD_SETUP_H_
