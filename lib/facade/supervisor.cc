// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/supervisor.h"

#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "lib/facade/validate.h"
#include "lib/shell/caught.h"
#include "lib/shell/engine.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/real_time.h"
#include "lib/shell/roll_call.h"
#include "lib/shell/task_record.h"
#include "lib/shell/user_code_scope.h"

namespace foxtive {
namespace {

using ::foxtive::internal::Engine;
using ::foxtive::internal::TaskRecord;
using ::foxtive::internal::TaskTable;

absl::StatusOr<TaskHandle> Add(Engine& engine, TaskSpec&& spec, bool start) {
  if (absl::Status status = internal::Validate(spec); !status.ok()) return status;
  auto* const record = new TaskRecord(std::move(spec), engine, /*registered=*/!start);
  TaskHandle handle = record->MakeHandle();
  if (absl::Status status = engine.Add({&record, 1}, start); !status.ok()) return status;
  return handle;
}

// A call that would wait for the code that makes it.
absl::Status CheckMayWait(const Engine& engine, const char* call) {
  if (!internal::UserCodeScope::InsideOf(engine)) return absl::OkStatus();
  const TaskRecord* const task = internal::UserCodeScope::TaskOf(engine);
  const std::string whose =
      task != nullptr ? absl::StrCat("task '", task->name(), "', which") : "a listener, which";
  return absl::FailedPreconditionError(
      absl::StrCat(call, " can't be called by the code of ", whose,
                   " belongs to the same Supervisor: it would wait for itself"));
}

absl::Status TimedOut(const char* call, absl::Duration timeout) {
  return absl::DeadlineExceededError(
      absl::StrCat(call, ": not over after ", absl::FormatDuration(timeout)));
}

}  // namespace

// NOLINTNEXTLINE(performance-unnecessary-value-param): what callers see leaves open what is kept.
absl::StatusOr<std::unique_ptr<Supervisor>> Supervisor::Create(SupervisorOptions options) {
  if (internal::InForkChild()) return internal::ForkChildError();
  try {
    if (absl::Status status = internal::Validate(options); !status.ok()) return status;
    // Made first: an engine that has begun to run can't be dropped.
    std::unique_ptr<Supervisor> supervisor(new Supervisor(nullptr));
    absl::StatusOr<std::shared_ptr<Engine>> engine = Engine::Create(options);
    if (!engine.ok()) return engine.status();
    supervisor->engine_ = *std::move(engine);
    return supervisor;
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

Supervisor::Supervisor(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

Supervisor::Supervisor() {
  absl::StatusOr<std::shared_ptr<Engine>> engine = Engine::Create(SupervisorOptions{});
  if (engine.ok()) {
    engine_ = *std::move(engine);
  } else {
    start_error_ = engine.status();
  }
}

absl::Status Supervisor::CheckUsable() const {
  if (internal::InForkChild()) return internal::ForkChildError();
  return engine_ != nullptr ? absl::OkStatus() : start_error_;
}

Supervisor::~Supervisor() {
  // In a child of fork the monitor, which owns the Engine too, never lets go of it: it is leaked.
  if (engine_ != nullptr && !internal::InForkChild()) engine_->Stop();
}

absl::StatusOr<TaskHandle> Supervisor::Submit(TaskSpec spec) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  try {
    return Add(*engine_, std::move(spec), /*start=*/true);
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

absl::StatusOr<TaskHandle> Supervisor::Register(TaskSpec spec) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  try {
    return Add(*engine_, std::move(spec), /*start=*/false);
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

absl::Status Supervisor::StartAll() {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  try {
    return engine_->StartAll();
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

absl::StatusOr<SupervisionResult> Supervisor::WaitAny(absl::Duration timeout) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  TaskRecord* record = nullptr;
  try {
    if (absl::Status status = CheckMayWait(*engine_, "WaitAny"); !status.ok()) return status;
    const int64_t deadline = internal::After(engine_->clock().NowNanos(), timeout);
    switch (engine_->table().AwaitAny(deadline, record)) {
      case TaskTable::Waited::kYes: {
        SupervisionResult result = record->ResultInAMoment();
        engine_->table().HandedOut(*record);
        return result;
      }
      case TaskTable::Waited::kNothingLeft:
        return absl::OutOfRangeError("WaitAny: no registered task is left to wait for");
      case TaskTable::Waited::kTimeout:
        break;
    }
    return TimedOut("WaitAny", timeout);
  } catch (const std::bad_alloc&) {
    if (record != nullptr) engine_->table().PutBack(*record);
    return internal::NoMemory();
  }
}

absl::StatusOr<std::vector<SupervisionResult>> Supervisor::WaitAll(absl::Duration timeout) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  std::vector<SupervisionResult> results;
  std::vector<TaskRecord*> records;
  try {
    if (absl::Status status = CheckMayWait(*engine_, "WaitAll"); !status.ok()) return status;
    const int64_t deadline = internal::After(engine_->clock().NowNanos(), timeout);
    if (engine_->table().AwaitAll(deadline) == TaskTable::Waited::kTimeout) {
      return TimedOut("WaitAll", timeout);
    }
    const size_t count = engine_->table().ended_count();
    results.reserve(count);
    records.reserve(count);
    while (records.size() < count) {
      TaskRecord* const record = engine_->table().TakeEnded();
      if (record == nullptr) break;
      records.push_back(record);
      results.push_back(record->ResultInAMoment());
    }
  } catch (const std::bad_alloc&) {
    while (!records.empty()) {
      engine_->table().PutBack(*records.back());
      records.pop_back();
    }
    return internal::NoMemory();
  }
  for (TaskRecord* record : records) engine_->table().HandedOut(*record);
  return results;
}

absl::Status Supervisor::Shutdown() {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return Shutdown(engine_->shutdown_timeout());
}

absl::Status Supervisor::Shutdown(absl::Duration timeout) { return ShutDown(timeout, nullptr); }

absl::Status Supervisor::Shutdown(absl::Duration timeout, ShutdownReport& report) {
  report = ShutdownReport();
  return ShutDown(timeout, &report);
}

absl::Status Supervisor::ShutDown(absl::Duration timeout, ShutdownReport* report) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  try {
    if (absl::Status status = CheckMayWait(*engine_, "Shutdown"); !status.ok()) return status;
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
  if (report == nullptr) return engine_->Shutdown(timeout, nullptr);
  internal::RollCall roll(*engine_);
  absl::Status status = engine_->Shutdown(timeout, &roll);
  roll.Fill(*report);
  return status;
}

void Supervisor::RequestShutdown() noexcept {
  if (engine_ != nullptr && !internal::InForkChild()) engine_->RequestShutdown();
}

absl::StatusOr<TaskHandle> Supervisor::Find(std::string_view name) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  try {
    TaskRecord* const record = engine_->table().Find(name);
    if (record != nullptr) return record->MakeHandle();
    return absl::NotFoundError(absl::StrCat("name: no task is called '", std::string(name), "'"));
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

std::vector<TaskInfo> Supervisor::ListTasks() const {
  std::vector<TaskInfo> infos;
  if (engine_ == nullptr || internal::InForkChild()) return infos;
  const std::vector<TaskRecord*> records = engine_->table().Unfinished();
  const auto give_back = [&records] {
    for (TaskRecord* record : records) record->Unref();
  };
  try {
    infos.reserve(records.size());
    for (const TaskRecord* record : records) infos.push_back(record->info());
  } catch (const std::bad_alloc&) {
    give_back();
    throw;
  }
  give_back();
  return infos;
}

size_t Supervisor::task_count() const {
  if (engine_ == nullptr || internal::InForkChild()) return 0;
  return engine_->table().started_count();
}

}  // namespace foxtive
