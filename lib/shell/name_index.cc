// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/name_index.h"

#include <bit>
#include <functional>
#include <utility>

#include "lib/shell/task_record.h"

namespace foxtive::internal {

size_t NameIndex::ChainOf(std::string_view name) const {
  return std::hash<std::string_view>()(name) & (chains_.size() - 1);
}

TaskRecord* NameIndex::Find(std::string_view name) const {
  TaskRecord* record = chains_[ChainOf(name)];
  while (record != nullptr && record->name() != name) record = record->table_link().next_named;
  return record;
}

TaskRecord** NameIndex::PlaceOf(std::string_view name) {
  TaskRecord** place = &chains_[ChainOf(name)];
  while (*place != nullptr && (*place)->name() != name) place = &(*place)->table_link().next_named;
  return place;
}

// As many chains as records at least, so that few have more than two.
void NameIndex::Reserve(size_t more) {
  if (size_ + more <= chains_.size()) return;
  std::vector<TaskRecord*> former(std::bit_ceil(size_ + more));
  former.swap(chains_);
  for (TaskRecord* record : former) {
    while (record != nullptr) {
      TaskRecord*& chain = chains_[ChainOf(record->name())];
      TaskRecord* const next = std::exchange(record->table_link().next_named, chain);
      chain = std::exchange(record, next);
    }
  }
}

void NameIndex::Put(TaskRecord& record) {
  TaskRecord** const place = PlaceOf(record.name());
  TaskRecord* const former = std::exchange(*place, &record);
  if (former == nullptr) {
    ++size_;
  } else {
    record.table_link().next_named = std::exchange(former->table_link().next_named, nullptr);
  }
}

void NameIndex::Remove(TaskRecord& record) {
  TaskRecord** const place = PlaceOf(record.name());
  if (*place != &record) return;
  *place = std::exchange(record.table_link().next_named, nullptr);
  --size_;
}

}  // namespace foxtive::internal
