// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#ifndef FOXTIVE_LIB_SHELL_TABLE_LINK_H_
#define FOXTIVE_LIB_SHELL_TABLE_LINK_H_

#include <cstdint>

namespace foxtive::internal {

class TaskRecord;

// The list that a record is in.
enum class TaskPlace : uint8_t { kNowhere, kRegistered, kLive, kLater, kStopping, kOverdue };

// What a record has for the TaskTable. Guarded by its mutex; `number` is written once, before the
// record is seen by anybody else.
struct TableLink {
  TaskRecord* previous = nullptr;
  TaskRecord* next = nullptr;
  TaskRecord* next_named = nullptr;  // with the same hash of its name
  TaskRecord* next_ended = nullptr;  // in the queue of results to hand out
  uint64_t number = 0;               // in order of registration
  TaskPlace place = TaskPlace::kNowhere;
  bool started = false;
  bool kept = false;       // the table has its result to hand out
  bool name_free = false;  // there is a result, or there will be in a moment
  bool over = false;       // there is a result
  bool returned = false;   // no user code of it is left
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_TABLE_LINK_H_
