// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/task_list.h"

#include "lib/shell/task_record.h"

namespace foxtive::internal {

void TaskList::PushBack(TaskRecord& record) {
  TableLink& link = record.table_link();
  record.table_marks().place = place_;
  link.previous = last_;
  link.next = nullptr;
  (last_ != nullptr ? last_->table_link().next : first_) = &record;
  last_ = &record;
}

void TaskList::Remove(TaskRecord& record) {
  TableLink& link = record.table_link();
  (link.previous != nullptr ? link.previous->table_link().next : first_) = link.next;
  (link.next != nullptr ? link.next->table_link().previous : last_) = link.previous;
  record.table_marks().place = TaskPlace::kNowhere;
}

}  // namespace foxtive::internal
