// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// NameIndex: records by their names. A hash table with chains whose links are in the records: only
// Reserve allocates, so what has to be undone if there is no memory can come after it, and a name
// goes from a record to the next one of that name where it stands.
//
// Not one of Abseil's tables, which break if an allocation throws while they grow; nor a standard
// one, whose nodes take as much as a tenth of a record.
//
// Thread safety: none; part of the TaskTable, whose mutex guards the links too.

#ifndef FOXTIVE_LIB_SHELL_NAME_INDEX_H_
#define FOXTIVE_LIB_SHELL_NAME_INDEX_H_

#include <cstddef>
#include <string_view>
#include <vector>

namespace foxtive::internal {

class TaskRecord;

class NameIndex {
 public:
  // Null if there is none.
  TaskRecord* Find(std::string_view name) const;

  // Room for so many more. Throws std::bad_alloc, and nothing has changed.
  void Reserve(size_t more);

  // Puts `record` where another one of its name is, whose place that was, or else adds it.
  // REQUIRES: there is room.
  void Put(TaskRecord& record);

  // Unless another one has taken its place.
  void Remove(TaskRecord& record);

 private:
  static constexpr size_t kFirstChains = 64;

  size_t ChainOf(std::string_view name) const;
  // The link that leads to the record of that name; where it would be if there is none.
  TaskRecord** PlaceOf(std::string_view name);

  size_t size_ = 0;
  std::vector<TaskRecord*> chains_ = std::vector<TaskRecord*>(kFirstChains);  // a power of two
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_NAME_INDEX_H_
