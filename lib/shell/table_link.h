// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#ifndef FOXTIVE_LIB_SHELL_TABLE_LINK_H_
#define FOXTIVE_LIB_SHELL_TABLE_LINK_H_

#include <cstdint>

namespace foxtive::internal {

class TaskRecord;

// The list that a record is in.
enum class TaskPlace : uint8_t { kNowhere, kRegistered, kLive, kLater, kStopping, kOverdue };

// What a record has for the TaskTable, in two parts, of which the lesser one is among what the
// record has of that size. Guarded by the table's mutex; `number` is written once, before the
// record is seen by anybody else.
struct TableLink {
  TaskRecord* previous = nullptr;
  TaskRecord* next = nullptr;
  TaskRecord* next_named = nullptr;  // with the same hash of its name
  uint64_t number = 0;               // in order of registration
};
struct TableMarks {
  TaskPlace place : 3 = TaskPlace::kNowhere;
  bool started : 1 = false;
  bool kept : 1 = false;       // the table has its result to hand out
  bool name_free : 1 = false;  // there is a result, or there will be in a moment
  bool over : 1 = false;       // there is a result
  bool returned : 1 = false;   // no user code of it is left
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_TABLE_LINK_H_
