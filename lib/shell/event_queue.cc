// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/event_queue.h"

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "lib/shell/caught.h"
#include "lib/shell/engine.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/real_time.h"
#include "lib/shell/task_record.h"
#include "lib/shell/thread_setup.h"
#include "lib/shell/user_code_scope.h"

namespace foxtive::internal {
namespace {

constexpr absl::Duration kStackTimeout = absl::Milliseconds(500);

}  // namespace

EventQueue::EventQueue(Engine& engine, std::shared_ptr<EventListener> listener, EventDetail detail)
    : engine_(engine),
      created_nanos_(engine.clock().NowNanos()),
      detail_(detail),
      slots_(listener != nullptr ? new Slot[kSlots] : nullptr),
      listener_(std::move(listener)) {}

EventQueue::~EventQueue() = default;

bool EventQueue::Emit(Notice notice) {
  if (silent()) return false;
  if (kThreadSanitizer) ShareNothing(notice.status);  // the listener's own
  Slot slot{.notice = std::move(notice),
            .wall_nanos = WallNanos(),
            .uptime_nanos = engine_.clock().NowNanos() - created_nanos_,
            .lost = 0};
  if (slot.notice.task != nullptr) slot.notice.task->Ref();
  bool push = false;
  const bool put = Put(slot, push);
  if (!put) Drop(slot);
  // Never refused: it is not withdrawn.
  if (push) engine_.services().Push(job_);
  return put;
}

// Free slots hold nothing, so that nothing is destroyed by this. False: there is no room.
bool EventQueue::Put(Slot& slot, bool& push) {
  MutexLock lock(mutex_);
  if (closed_) return false;
  if (size_ == kSlots) {
    ++lost_;
    return false;
  }
  slot.lost = std::exchange(lost_, 0);
  slots_[(first_ + size_) % kSlots] = std::move(slot);
  ++size_;
  push = !std::exchange(delivering_, true);
  if (push) Keep(engine_);
  return true;
}

// For a delivery, with the listener, or for Close (null). False: there is nothing; a delivery is
// through with that.
bool EventQueue::Take(Slot& slot, std::shared_ptr<EventListener>* listener) {
  {
    MutexLock lock(mutex_);
    // What comes with the end is not delivered any more.
    if (size_ > 0 && (listener == nullptr || !closed_)) {
      slot = std::move(slots_[first_]);
      first_ = (first_ + 1) % kSlots;
      --size_;
      if (listener == nullptr) return true;
      *listener = listener_;
      return true;
    }
    if (listener == nullptr) return false;
    delivering_ = false;
  }
  idle_.WakeAll(mutex_, engine_.real_clock());
  return false;
}

Job::Outcome EventQueue::Deliver() noexcept {
  while (true) {
    // Of their own for each event: nothing is left of it, nor of the listener, when this is idle.
    const UserCodeScope scope(&engine_, nullptr);
    std::shared_ptr<EventListener> listener;
    Slot slot;
    if (!Take(slot, &listener)) return Job::Outcome::kDone;
    Tell(*listener, slot);
    EndIfForkChild();
    Drop(slot);
    listener.reset();
    EndIfForkChild();
  }
}

// The status and the exception are lent to the event, and not copied.
void EventQueue::Tell(EventListener& listener, Slot& slot) const noexcept {
  Notice& notice = slot.notice;
  Event event{.kind = notice.kind,
              .task_name = notice.task != nullptr ? std::string_view(notice.task->name()) : "",
              .attempt = notice.attempt,
              .status = std::move(notice.status),
              .exception = std::move(notice.exception),
              .delay = notice.delay,
              .reason = notice.text.empty() ? notice.reason : std::string_view(notice.text),
              .wall_time = absl::FromUnixNanos(slot.wall_nanos),
              .uptime = absl::Nanoseconds(slot.uptime_nanos),
              .final_status = notice.final_status,
              .folded = notice.folded,
              .lost = slot.lost,
              .stack = StackFor(notice)};
  try {
    listener.OnEvent(event);
  } catch (...) {
    // There is nobody who could be told.
  }
  notice.status = std::move(event.status);
  notice.exception = std::move(event.exception);
}

// Asked for here, where it may take time: a delivery waits for the listener as well.
std::shared_ptr<const StackTrace> EventQueue::StackFor(const Notice& notice) const noexcept {
  const bool hangs =
      notice.kind == EventKind::kStuck || notice.kind == EventKind::kStopIgnored ||
      (notice.kind == EventKind::kTaskOver && notice.final_status == SupervisionStatus::kAbandoned);
  if (!hangs || engine_.stack_signal() == 0) return nullptr;
  try {
    return notice.task->AskWhere(kStackTimeout);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// What is destroyed may be the user's exception, which is code of the task then. The reference
// counts of statuses and exceptions order whoever has them, but are in libraries that the thread
// sanitizer does not see into; so the record's mutex does that too.
void EventQueue::Drop(Slot& slot) const {
  TaskRecord* const task = std::exchange(slot.notice.task, nullptr);
  if (task == nullptr) return;
  const UserCodeScope scope(&engine_, task);
  task->Synchronize();
  slot.notice.status = absl::Status();
  slot.notice.exception = nullptr;
  EndIfForkChild();
  task->Synchronize();
  task->Unref();
}

// What goes with the last reference is this object too.
void EventQueue::ReleaseJob() noexcept {
  const UserCodeScope scope(&engine_, nullptr);
  LetGo(engine_);
}

void EventQueue::Drain(int64_t real_deadline_nanos) {
  if (UserCodeScope::InsideOfListenerOf(engine_)) return;
  MutexLock lock(mutex_);
  idle_.Await(mutex_, engine_.real_clock(), real_deadline_nanos, [this] {
    mutex_.AssertHeld();
    return !delivering_;
  });
}

void EventQueue::Close() {
  std::shared_ptr<EventListener> listener;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    listener = std::move(listener_);
  }
  while (true) {
    Slot slot;
    if (!Take(slot, nullptr)) return;
    Drop(slot);
  }
}

}  // namespace foxtive::internal
