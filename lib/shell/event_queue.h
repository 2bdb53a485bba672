// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// EventQueue: from whoever has something to tell to the listener of a Supervisor.
//
//   lane, service lane, monitor: Emit ──▶ ring of kSlots ──▶ service lane: OnEvent, one at a time
//
// Emit never blocks and allocates nothing: the slots are there from the start, and the job that
// delivers is part of this object. If the ring is full the event is lost and counted; the next one
// that finds room says how many were. The job is pushed when the ring is no longer empty, and ends
// when it is, so that there is one delivery at a time and none for nothing. A listener that hangs
// holds one service lane, and nobody waits for it.
//
// Ownership: part of the Engine. A pushed job owns a reference to the Engine, so that a lane in it
// is safe when the Supervisor goes meanwhile. There may be two: that of a job that is about to
// leave its lane, and that of the same job, pushed anew. A slot owns a reference to its record,
// whose name the event shows.
//
// The end: Drain waits until all is delivered, or no longer; Close refuses what comes, throws away
// what is left and lets the listener go. A delivery that is under way keeps the listener until it
// returns. What has to do with the user's objects (exceptions, the listener) is destroyed on a
// service lane, or by whoever closes; never under the lock, and never on the monitor, whose events
// have no exceptions but those that their records keep.
//
// Thread safety: any thread; Close once. Locks: one mutex, leaf; the clocks are read before it.

#ifndef FOXTIVE_LIB_SHELL_EVENT_QUEUE_H_
#define FOXTIVE_LIB_SHELL_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/event_listener.h"
#include "lib/shell/job.h"
#include "lib/shell/mutex.h"
#include "lib/shell/waiters.h"

namespace foxtive::internal {

class Engine;
class TaskRecord;

// What there is to tell.
struct Notice {
  EventKind kind = EventKind::kTaskOver;
  TaskRecord* task = nullptr;  // Emit takes a reference of its own
  int64_t attempt = 0;
  absl::Status status{};
  std::exception_ptr exception{};
  absl::Duration delay{};
  std::string_view reason{};  // of static storage
  std::string text{};         // instead of `reason`, if that is made on the spot
  SupervisionStatus final_status = SupervisionStatus::kCompletedNormally;
  int64_t folded = 0;
};

class EventQueue {
 public:
  static constexpr size_t kSlots = 1024;

  // REQUIRES: `engine` owns this. Null: silent.
  EventQueue(Engine& engine, std::shared_ptr<EventListener> listener, EventDetail detail);
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  bool silent() const { return slots_ == nullptr; }
  EventDetail detail() const { return detail_; }

  // False: lost, because the ring is full, or there is nobody to be told.
  bool Emit(Notice notice) ABSL_LOCKS_EXCLUDED(mutex_);

  // Until all that was emitted has been delivered, or the deadline, in real time. From the code
  // that a delivery runs, which would wait for itself: not at all.
  void Drain(int64_t real_deadline_nanos) ABSL_LOCKS_EXCLUDED(mutex_);
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Slot {
    Notice notice;
    int64_t wall_nanos = 0;
    int64_t uptime_nanos = 0;
    int64_t lost = 0;
  };

  struct DeliveryJob final : CustomJob {
    explicit DeliveryJob(EventQueue& owner) : queue(owner) {}
    Outcome Run() noexcept override { return queue.Deliver(); }
    void Release() noexcept override { queue.ReleaseJob(); }
    std::string_view thread_name() const noexcept override { return "foxtive-events"; }
    EventQueue& queue;
  };

  Job::Outcome Deliver() noexcept;
  void ReleaseJob() noexcept;
  bool Put(Slot& slot, bool& push) ABSL_LOCKS_EXCLUDED(mutex_);
  bool Take(Slot& slot, std::shared_ptr<EventListener>* listener) ABSL_LOCKS_EXCLUDED(mutex_);
  void Tell(EventListener& listener, Slot& slot) const noexcept;
  std::shared_ptr<const StackTrace> StackFor(const Notice& notice) const noexcept;
  void Drop(Slot& slot) const;

  Engine& engine_;
  const int64_t created_nanos_;
  const EventDetail detail_;
  const std::unique_ptr<Slot[]> slots_;  // the array's contents are guarded by mutex_
  DeliveryJob job_{*this};

  Mutex mutex_;
  std::shared_ptr<EventListener> listener_ ABSL_GUARDED_BY(mutex_);
  size_t first_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;         // since the last event that found room
  bool delivering_ ABSL_GUARDED_BY(mutex_) = false;  // the job is pushed, or in its loop
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;

  WaiterList idle_;  // synchronised by itself, with mutex_
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_EVENT_QUEUE_H_
