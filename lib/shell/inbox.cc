// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/inbox.h"

#include <utility>

#include "lib/shell/task_record.h"

namespace foxtive::internal {
namespace {

// The head of a closed inbox; never followed.
// NOLINTNEXTLINE(performance-no-int-to-ptr): so there is no access that could be optimised.
TaskRecord* const kClosed = reinterpret_cast<TaskRecord*>(alignof(std::max_align_t));

}  // namespace

void Inbox::Post(TaskRecord& record) {
  if (record.posted().exchange(true)) return;
  record.Ref();
  TaskRecord* head = head_.load();
  do {
    if (head == kClosed) {
      record.Unref();
      return;
    }
    record.next_posted() = head;
  } while (!head_.compare_exchange_weak(head, &record));
  Nudge();
}

TaskRecord* Inbox::Close() { return Reversed(head_.exchange(kClosed)); }

TaskRecord* Inbox::Next(TaskRecord& record) {
  TaskRecord* const next = record.next_posted();
  record.posted().exchange(false);
  return next;
}

TaskRecord* Inbox::Reversed(TaskRecord* head) {
  TaskRecord* reversed = nullptr;
  while (head != nullptr) {
    TaskRecord* const next = std::exchange(head->next_posted(), reversed);
    reversed = std::exchange(head, next);
  }
  return reversed;
}

}  // namespace foxtive::internal
