// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// ResultQueue: records whose results wait to be handed out, in the order in which they ended. A
// ring, and not links in the records, since most tasks are never in it. Only Reserve allocates.
//
// Thread safety: none; part of the TaskTable.

#ifndef FOXTIVE_LIB_SHELL_RESULT_QUEUE_H_
#define FOXTIVE_LIB_SHELL_RESULT_QUEUE_H_

#include <bit>
#include <cstddef>
#include <vector>

namespace foxtive::internal {

class TaskRecord;

class ResultQueue {
 public:
  size_t size() const { return size_; }

  // Room for so many in all. Throws std::bad_alloc, and nothing has changed.
  void Reserve(size_t room) {
    if (room <= ring_.size()) return;
    std::vector<TaskRecord*> larger(std::bit_ceil(room));
    for (size_t i = 0; i < size_; ++i) larger[i] = At(i);
    ring_.swap(larger);
    first_ = 0;
  }

  // REQUIRES: there is room.
  void PushBack(TaskRecord& record) {
    At(size_) = &record;
    ++size_;
  }
  void PushFront(TaskRecord& record) {
    first_ = (first_ + ring_.size() - 1) % ring_.size();
    At(0) = &record;
    ++size_;
  }

  // Null if it is empty.
  TaskRecord* PopFront() {
    if (size_ == 0) return nullptr;
    TaskRecord* const record = At(0);
    first_ = (first_ + 1) % ring_.size();
    --size_;
    return record;
  }

 private:
  TaskRecord*& At(size_t index) { return ring_[(first_ + index) % ring_.size()]; }

  std::vector<TaskRecord*> ring_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_RESULT_QUEUE_H_
