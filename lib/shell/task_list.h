// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskList: a list of records, whose links are in the records. One of a TaskTable's, guarded by its
// mutex.

#ifndef FOXTIVE_LIB_SHELL_TASK_LIST_H_
#define FOXTIVE_LIB_SHELL_TASK_LIST_H_

#include "lib/shell/table_link.h"

namespace foxtive::internal {

class TaskRecord;

class TaskList {
 public:
  explicit TaskList(TaskPlace place) : place_(place) {}

  TaskRecord* first() const { return first_; }
  void PushBack(TaskRecord& record);
  void Remove(TaskRecord& record);

 private:
  const TaskPlace place_;
  TaskRecord* first_ = nullptr;
  TaskRecord* last_ = nullptr;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_TASK_LIST_H_
