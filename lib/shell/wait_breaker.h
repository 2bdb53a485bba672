// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// WaitBreaker: ends the waits of an attempt that are not a Park: those for a descriptor, and those
// on a condition variable of the worker's.
//
//   worker: TaskContext::WaitReadable ─▶ ppoll on its descriptor and on ours ◀─┐
//           TaskContext::Wait ─▶ condition variable with our stop token ◀──────┤
//   RequestStop, by whoever calls it: Break ───────────────────────────────────┘
//
// The token is not the worker's: on ours there are only the callbacks of condition variables, which
// notify and return. So whoever asks for the stop may run them, and no callback of the user's that
// hangs delays a wait. The descriptor is an eventfd that becomes readable once and stays so: any
// number of threads wait for it, and nobody takes anything out. Its life is that of the breaker,
// which the record and whoever breaks share, so none of them writes to a descriptor that is closed.
//
// Races: a wait that begins after Break finds it broken. Descriptor() and Break both announce what
// they did before they look at what the other did, so one of the two writes.
//
// Thread safety: any thread. Blocking: Break does not. Errors: all but Break may throw
// std::bad_alloc.

#ifndef FOXTIVE_LIB_SHELL_WAIT_BREAKER_H_
#define FOXTIVE_LIB_SHELL_WAIT_BREAKER_H_

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "absl/status/status.h"

namespace foxtive::internal {

// What waits answer that a stop, or their timeout, has ended. Throw std::bad_alloc.
absl::Status StopCameError();
absl::Status WaitedTooLongError();

class WaitBreaker {
 public:
  WaitBreaker() = default;
  ~WaitBreaker();
  WaitBreaker(const WaitBreaker&) = delete;
  WaitBreaker& operator=(const WaitBreaker&) = delete;

  void Break() noexcept;

  std::stop_token token() const { return source_.get_token(); }

  // Waits until one of the poll `events` is there for `fd`, for Break, or for `deadline_nanos` of
  // the monotonic clock. kCancelled, kDeadlineExceeded, or what is wrong with `fd`.
  absl::Status AwaitDescriptor(int fd, short events, int64_t deadline_nanos);

 private:
  absl::Status Open();
  void Signal() const noexcept;

  std::stop_source source_;
  std::atomic<bool> broken_{false};
  std::atomic<int> descriptor_{-1};  // from the first wait for a descriptor on
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_WAIT_BREAKER_H_
