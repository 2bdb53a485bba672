// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskContext: what a running attempt sees of its supervision.
//
// Lifetime: valid while the call of `run` that received it lasts. The stop token that it hands out
// stays valid for ever.
// Thread safety: all members may be called from any thread while `run` has not returned.
// Blocking: `SleepFor` and the waits, which a stop ends at once; none of them looks again now and
// then. Their time is that of the Supervisor's clock: steps of the wall clock change nothing.
// Errors: `stop_token`, `OnStop` and the waits can throw `std::bad_alloc` the first time that one
// of them is called in a task.
//
// The waits return why they are over:
//
//   OK                  what was waited for is there
//   kCancelled          the task was asked to stop; wins over all the others, so that a worker that
//                       always has work is stopped too. From then on no wait waits.
//   kDeadlineExceeded   the timeout has passed. 0 or less: looks once; infinite: no timeout
//   anything else       it can't be waited for, as the message says
//
// Fork: in a child the context answers false or an error, and its stop token is empty; see
// supervisor.h.
//
// Example: a worker that works every five seconds, and returns at once when it is asked to stop.
//
//   absl::Status Poll(foxtive::TaskContext& context) {
//     while (context.SleepFor(absl::Seconds(5))) {
//       if (absl::Status status = FetchOnce(); !status.ok()) return status;
//       context.MarkHealthy();
//     }
//     return absl::OkStatus();
//   }
//
// Example: one that reads from a socket which may be silent for hours.
//
//   absl::Status Receive(foxtive::TaskContext& context, int socket) {
//     while (true) {
//       absl::Status status = context.WaitReadable(socket, absl::Minutes(5));
//       if (absl::IsCancelled(status)) return absl::OkStatus();
//       if (!status.ok()) return status;
//       ... read once
//     }
//   }

#ifndef FOXTIVE_TASK_CONTEXT_H_
#define FOXTIVE_TASK_CONTEXT_H_

// Here, because whatever starts a task leads here before compilers find fault with anything else.
#if __cplusplus < 202002L
#error "Foxtive Supervisor needs C++20: compile with -std=c++20 or newer"
#endif

#include <condition_variable>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/condition_wait.h"
#include "foxtive/stop_callback.h"

namespace foxtive {

namespace internal {

class TaskRecord;
}  // namespace internal

class TaskContext {
 public:
  TaskContext(const TaskContext&) = delete;
  TaskContext& operator=(const TaskContext&) = delete;

  std::string_view name() const;

  // The number of this attempt, counted from 1 over the whole life of the task.
  int64_t attempt() const { return attempt_; }

  // Fires when the task is asked to stop. Callbacks that are registered on it then run on a thread
  // of the library, never on the one that asked for the stop. The token is made by the first call
  // and is the same for all attempts; after one that was asked to stop because it hung
  // (`TaskSpec::on_stuck`) the next one has a new one.
  std::stop_token stop_token() const;

  // True from the moment the task is asked to stop: the same fact without a token, and cheaper.
  bool stop_requested() const;

  // Waits for `duration`. True: it has passed. False: a stop cut the wait short, or had come
  // before. 0 or less does not wait; infinite waits for the stop.
  bool SleepFor(absl::Duration duration) const;

  // Waits until `fd` can be read from or written to without blocking, or is at its end, or has an
  // error, which the read or write will tell: a socket, a pipe, a terminal, an eventfd. (A regular
  // file always can.) The descriptor stays the worker's; it must not be closed meanwhile: let the
  // stop end the wait.
  //
  // `kInvalidArgument`: it is not open. `kResourceExhausted`: the process can have no descriptor
  // more; a task that calls these has one of its own from the first call until it is over.
  // `kFailedPrecondition`: the Supervisor has a clock of its own, simulated time among them, which
  // the kernel does not know.
  absl::Status WaitReadable(int fd, absl::Duration timeout = absl::InfiniteDuration()) const;
  absl::Status WaitWritable(int fd, absl::Duration timeout = absl::InfiniteDuration()) const;

  // Waits on a std::condition_variable_any, with `lock` as its `wait` has it, until `predicate()`,
  // which is called under the lock, is true. Whoever makes it true notifies, as always; that the
  // task is asked to stop needs no notification.
  //
  //   std::unique_lock lock(mutex_);
  //   absl::Status status = context.Wait(not_empty_, lock, [this] { return !queue_.empty(); });
  //
  // With simulated time too. With a clock of your own only without a timeout: with one it is
  // `kFailedPrecondition`. What `predicate` or the lock throws is passed on.
  template <typename Lock, typename Predicate>
  absl::Status Wait(std::condition_variable_any& condition, Lock& lock, Predicate predicate,
                    absl::Duration timeout = absl::InfiniteDuration()) const;

  // Calls `callback()` once, when the task is asked to stop, if what is returned still lives then:
  // to shut a socket down, to cancel a query, to push a poison message, whatever makes this attempt
  // return. See foxtive/stop_callback.h.
  //
  //   const auto on_stop = context.OnStop([&] { shutdown(socket, SHUT_RDWR); });
  template <typename Callback>
  [[nodiscard]] StopCallback<std::decay_t<Callback>> OnStop(Callback&& callback) const {
    return StopCallback<std::decay_t<Callback>>(
        TokenForCallback(), internal::OnStopCall<std::decay_t<Callback>>{
                                &CallOnStop, record_, std::forward<Callback>(callback)});
  }

  // Says that this attempt has done real work: what failed before no longer counts for the backoff
  // and for `MaxAttempts`, and if this attempt fails, that is failure 1. For workers that know
  // better than the clock of `TaskSpec::stable_after`.
  void MarkHealthy() const;

  // Says that this attempt does not hang, for `TaskSpec::heartbeat_timeout`. Costs a look at the
  // clock, and next to nothing if there is no such timeout. No other call counts: whoever waits
  // waits for less than the timeout at a time.
  void Heartbeat() const;

 private:
  friend class internal::TaskRecord;

  TaskContext(internal::TaskRecord& record, int64_t attempt) : record_(record), attempt_(attempt) {}

  std::stop_token TokenForCallback() const;
  static void CallOnStop(internal::TaskRecord& record, void (*call)(void* callback),
                         void* callback) noexcept;

  internal::ConditionWait BeginWait(absl::Duration timeout) const;
  // In simulated time. False: the deadline has come.
  bool AwaitTurn(const internal::ConditionWait& wait) const;
  absl::Status EndWait(bool ready) const;

  internal::TaskRecord& record_;
  const int64_t attempt_;
};

template <typename Lock, typename Predicate>
absl::Status TaskContext::Wait(std::condition_variable_any& condition, Lock& lock,
                               Predicate predicate, absl::Duration timeout) const {
  const internal::ConditionWait wait = BeginWait(timeout);
  if (!wait.refused.ok()) return wait.refused;
  const auto over = [&] { return stop_requested() || predicate(); };
  if (!wait.takes_turns) return EndWait(wait.Block(condition, lock, over));
  bool ready = over();
  for (bool in_time = true; !ready && in_time; ready = over()) {
    lock.unlock();
    in_time = AwaitTurn(wait);
    lock.lock();
  }
  return EndWait(ready);
}

}  // namespace foxtive

#endif  // FOXTIVE_TASK_CONTEXT_H_
