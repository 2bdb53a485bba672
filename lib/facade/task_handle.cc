// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/task_handle.h"

#include <new>
#include <utility>

#include "lib/shell/caught.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/task_record.h"

namespace foxtive {
namespace {

// Null also in a child of fork, where handles answer as if they named no task.
internal::TaskRecord* Usable(internal::TaskRecord* record) {
  return internal::InForkChild() ? nullptr : record;
}

}  // namespace

TaskHandle::TaskHandle(const TaskHandle& other) : record_(other.record_) {
  if (record_ != nullptr) record_->Ref();
}

TaskHandle::TaskHandle(TaskHandle&& other) noexcept
    : record_(std::exchange(other.record_, nullptr)) {}

TaskHandle& TaskHandle::operator=(TaskHandle other) noexcept {
  std::swap(record_, other.record_);
  return *this;
}

TaskHandle::~TaskHandle() {
  if (Usable(record_) != nullptr) record_->Unref();
}

const std::string& TaskHandle::name() const {
  static const std::string& none = *new std::string;
  return record_ != nullptr ? record_->name() : none;
}

TaskState TaskHandle::state() const {
  return Usable(record_) != nullptr ? record_->state() : TaskState::kFinished;
}

int64_t TaskHandle::attempts() const {
  return Usable(record_) != nullptr ? record_->attempts() : 0;
}

TaskInfo TaskHandle::info() const {
  return Usable(record_) != nullptr ? record_->info() : TaskInfo{.state = TaskState::kFinished};
}

TaskHistory TaskHandle::history() const {
  return Usable(record_) != nullptr ? record_->history() : TaskHistory();
}

std::shared_future<SupervisionResult> TaskHandle::future() const {
  return Usable(record_) != nullptr ? record_->future() : std::shared_future<SupervisionResult>();
}

std::optional<SupervisionResult> TaskHandle::TryResult() const {
  return Usable(record_) != nullptr ? record_->TryResult() : std::nullopt;
}

absl::StatusOr<SupervisionResult> TaskHandle::Wait(absl::Duration timeout) const {
  if (internal::InForkChild()) return internal::ForkChildError();
  try {
    if (record_ == nullptr) return absl::FailedPreconditionError("this handle names no task");
    return record_->Wait(timeout);
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

absl::Status TaskHandle::OnFinished(
    absl::AnyInvocable<void(const SupervisionResult& result)> callback) const {
  if (internal::InForkChild()) return internal::ForkChildError();
  try {
    if (record_ == nullptr) return absl::FailedPreconditionError("this handle names no task");
    if (!callback) return absl::InvalidArgumentError("callback: the function is empty");
    record_->OnFinished(std::move(callback));
    return absl::OkStatus();
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

absl::StatusOr<StackTrace> TaskHandle::CaptureStack(absl::Duration timeout) const {
  if (internal::InForkChild()) return internal::ForkChildError();
  try {
    if (record_ == nullptr) return absl::FailedPreconditionError("this handle names no task");
    const auto stack = record_->CaptureStack(timeout);
    if (!stack.ok()) return stack.status();
    return **stack;
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

bool TaskHandle::RequestStop() const {
  return Usable(record_) != nullptr && record_->RequestStop();
}

}  // namespace foxtive
