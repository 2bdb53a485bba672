// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/task_table.h"

#include <algorithm>
#include <new>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "lib/shell/task_record.h"

namespace foxtive::internal {
namespace {

// As many as fit a line of a log.
constexpr size_t kNamed = 5;

}  // namespace

// REQUIRES: it is in one.
TaskList& TaskTable::ListOf(const TaskRecord& record) {
  switch (record.table_marks().place) {
    case TaskPlace::kRegistered:
      return registered_;
    case TaskPlace::kLive:
      return live_;
    case TaskPlace::kLater:
      return stages_.later(record.stop_order());
    case TaskPlace::kStopping:
      return stopping_;
    case TaskPlace::kOverdue:
    case TaskPlace::kNowhere:
      break;
  }
  return overdue_;
}

absl::Status TaskTable::ShutDownError() {
  return absl::FailedPreconditionError("the Supervisor has been asked to shut down");
}

// Until there is room for all names nothing is changed, and after that nothing fails.
absl::Status TaskTable::AddLocked(std::span<TaskRecord* const> records, bool start) {
  for (const TaskRecord* record : records) {
    const TaskRecord* const found = names_.Find(record->name());
    if (found == nullptr || found->table_marks().name_free) continue;
    return absl::AlreadyExistsError(
        absl::StrCat("name: '", record->name(), "' is the name of an unfinished task"));
  }
  names_.Reserve(records.size());
  size_t registered = 0;
  for (const TaskRecord* record : records) {
    stages_.Reserve(record->stop_order());
    if (record->registered()) ++registered;
  }
  results_.Reserve(owed_ + registered);
  owed_ += registered;
  for (TaskRecord* record : records) {
    names_.Put(*record);
    stages_.Added(record->stop_order());
    record->Ref();
    record->table_link().number = ++numbers_;
    ++unfinished_;
    if (start) StartedLocked(*record);
    (start ? live_ : registered_).PushBack(*record);
  }
  return absl::OkStatus();
}

void TaskTable::StartedLocked(TaskRecord& record) {
  record.table_marks().started = true;
  ++started_;
  if (record.registered()) ++awaited_;
}

TaskRecord* TaskTable::TakeToStart() {
  MutexLock lock(mutex_);
  TaskRecord* const record = registered_.first();
  if (record == nullptr) return nullptr;
  registered_.Remove(*record);
  live_.PushBack(*record);
  StartedLocked(*record);
  record->Ref();
  return record;
}

TaskRecord* TaskTable::FirstToStopLocked() {
  if (registered_.first() != nullptr) return registered_.first();
  if (live_.first() != nullptr) return live_.first();
  return stages_.FirstDue();
}

// Each is put aside once at most.
TaskRecord* TaskTable::TakeToStop() {
  MutexLock lock(mutex_);
  stages_.Begin();
  while (TaskRecord* const record = FirstToStopLocked()) {
    ListOf(*record).Remove(*record);
    if (!stages_.HasReached(record->stop_order())) {
      stages_.later(record->stop_order()).PushBack(*record);
      continue;
    }
    stopping_.PushBack(*record);
    record->Ref();
    return record;
  }
  return nullptr;
}

StopStages::Stage TaskTable::stage() {
  MutexLock lock(mutex_);
  stages_.Begin();
  return stages_.current();
}

bool TaskTable::LeaveIfOver() {
  {
    MutexLock lock(mutex_);
    stages_.Begin();
    if (!stages_.current_is_over() || !stages_.Next()) return false;
  }
  waiters_.WakeAll(mutex_, clock_);
  return true;
}

bool TaskTable::Leave(int stop_order) {
  {
    MutexLock lock(mutex_);
    if (stages_.current().stop_order != stop_order || !stages_.Next()) return false;
  }
  waiters_.WakeAll(mutex_, clock_);
  return true;
}

bool TaskTable::AwaitStage(int stop_order, Clock& clock, int64_t deadline_nanos,
                           const TaskRecord* except) {
  MutexLock lock(mutex_);
  return waiters_.Await(mutex_, clock, deadline_nanos, [&] {
    mutex_.AssertHeld();
    if (stages_.current().stop_order != stop_order) return true;
    const bool except_is_left =
        except != nullptr && except->stop_order() == stop_order && !except->table_marks().over;
    return stages_.unfinished(stop_order) == size_t{except_is_left ? 1u : 0u};
  });
}

std::string TaskTable::DescribeStage(int stop_order) const {
  MutexLock lock(mutex_);
  const size_t unfinished = stages_.unfinished(stop_order);
  if (unfinished == 0) return "";
  std::string text = absl::StrCat("stop_order ", stop_order, ": its part of the time is over, and ",
                                  unfinished, unfinished == 1 ? " task is" : " tasks are", " not");
  size_t named = 0;
  for (const TaskRecord* record = stopping_.first(); record != nullptr && named < kNamed;
       record = record->table_link().next) {
    if (record->stop_order() != stop_order) continue;
    absl::StrAppend(&text, named++ == 0 ? ": '" : ", '", record->name(), "'");
  }
  if (named < unfinished) absl::StrAppend(&text, " and ", unfinished - named, " more");
  absl::StrAppend(&text, "; stop_order ", stages_.current().stop_order, " is asked to stop");
  return text;
}

TaskRecord* TaskTable::FirstStopping(const TaskRecord* except) {
  MutexLock lock(mutex_);
  TaskRecord* record = stopping_.first();
  if (record != nullptr && record == except) record = record->table_link().next;
  if (record != nullptr) record->Ref();
  return record;
}

void TaskTable::BeforeResult(TaskRecord& record, bool abandoned) {
  MutexLock lock(mutex_);
  TableMarks& marks = record.table_marks();
  marks.name_free = true;
  marks.kept = record.registered() && keeps_results_;
  if (!marks.kept) names_.Remove(record);
  if (marks.started) --started_;
  ListOf(record).Remove(record);
  if (abandoned && !marks.returned) overdue_.PushBack(record);
  if (!record.registered()) return;
  if (marks.started) --awaited_;
  if (marks.kept) {
    results_.PushBack(record);
  } else {
    --owed_;
  }
}

TaskTable::Left TaskTable::AfterResult(TaskRecord& record) {
  Left left;
  bool awaited;
  {
    MutexLock lock(mutex_);
    --unfinished_;
    record.table_marks().over = true;
    left.reference = !record.table_marks().kept;
    left.stage_over = stages_.Ended(record.stop_order());
    awaited = !waiters_.empty();
  }
  if (awaited) waiters_.WakeAll(mutex_, clock_);
  return left;
}

void TaskTable::Returned(TaskRecord& record) {
  MutexLock lock(mutex_);
  TableMarks& marks = record.table_marks();
  marks.returned = true;
  if (marks.place == TaskPlace::kOverdue) overdue_.Remove(record);
}

TaskTable::Waited TaskTable::AwaitAny(int64_t deadline_nanos, TaskRecord*& record) {
  MutexLock lock(mutex_);
  const bool done = waiters_.Await(mutex_, clock_, deadline_nanos, [this] {
    mutex_.AssertHeld();
    return results_.size() != 0 || awaited_ == 0;
  });
  if (!done) return Waited::kTimeout;
  record = results_.PopFront();
  return record != nullptr ? Waited::kYes : Waited::kNothingLeft;
}

void TaskTable::HandedOut(TaskRecord& record) {
  {
    MutexLock lock(mutex_);
    names_.Remove(record);
    --owed_;
  }
  record.Unref();
}

void TaskTable::PutBack(TaskRecord& record) {
  {
    MutexLock lock(mutex_);
    results_.PushFront(record);
  }
  waiters_.WakeAll(mutex_, clock_);
}

TaskTable::Waited TaskTable::AwaitAll(int64_t deadline_nanos) {
  MutexLock lock(mutex_);
  const bool done = waiters_.Await(mutex_, clock_, deadline_nanos, [this] {
    mutex_.AssertHeld();
    return awaited_ == 0;
  });
  return done ? Waited::kYes : Waited::kTimeout;
}

TaskRecord* TaskTable::TakeEnded() {
  MutexLock lock(mutex_);
  return results_.PopFront();
}

void TaskTable::KeepNoResults() {
  MutexLock lock(mutex_);
  keeps_results_ = false;
}

size_t TaskTable::ended_count() const {
  MutexLock lock(mutex_);
  return results_.size();
}

bool TaskTable::AwaitAllOver(Clock& clock, int64_t deadline_nanos, const TaskRecord* except) {
  MutexLock lock(mutex_);
  return waiters_.Await(mutex_, clock, deadline_nanos, [this, except] {
    mutex_.AssertHeld();
    const bool except_is_unfinished = except != nullptr && !except->table_marks().over;
    return unfinished_ == size_t{except_is_unfinished ? 1u : 0u};
  });
}

absl::Status TaskTable::OverdueStatus() const {
  MutexLock lock(mutex_);
  const TaskRecord* record = overdue_.first();
  if (record == nullptr) return absl::OkStatus();
  try {
    std::string text = "workers that have not returned:";
    const char* separator = " ";
    for (; record != nullptr; record = record->table_link().next) {
      absl::StrAppend(&text, separator, "'", record->name(), "' (asked to stop ",
                      absl::FormatDuration(record->StoppingFor()), " ago)");
      separator = ", ";
    }
    return absl::DeadlineExceededError(text);
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kDeadlineExceeded, "");
  }
}

TaskRecord* TaskTable::Find(std::string_view name) const {
  MutexLock lock(mutex_);
  TaskRecord* const record = names_.Find(name);
  if (record != nullptr) record->Ref();
  return record;
}

std::vector<TaskRecord*> TaskTable::Unfinished() const {
  std::vector<TaskRecord*> records;
  {
    MutexLock lock(mutex_);
    CopyLocked(/*overdue=*/false, records);
  }
  std::sort(records.begin(), records.end(), [](TaskRecord* a, TaskRecord* b) {
    return a->table_link().number < b->table_link().number;
  });
  return records;
}

void TaskTable::CopyLocked(bool overdue, std::vector<TaskRecord*>& records) const {
  size_t overdue_count = 0;
  for (const TaskRecord* record = overdue_.first(); record != nullptr;
       record = record->table_link().next) {
    ++overdue_count;
  }
  records.reserve(unfinished_ + overdue_count);
  const auto copy = [&records](const TaskList& list) {
    for (TaskRecord* record = list.first(); record != nullptr; record = record->table_link().next) {
      record->Ref();
      records.push_back(record);
    }
  };
  for (const TaskList* list : {&registered_, &live_, &stopping_}) copy(*list);
  stages_.ForEachPutAside(copy);
  if (overdue) copy(overdue_);
}

size_t TaskTable::unfinished_count() const {
  MutexLock lock(mutex_);
  return unfinished_;
}

size_t TaskTable::started_count() const {
  MutexLock lock(mutex_);
  return started_;
}

}  // namespace foxtive::internal
