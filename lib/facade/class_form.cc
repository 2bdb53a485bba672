// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// SupervisedTask as a TaskSpec, and the short forms of Submit and Register.

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "foxtive/supervised_task.h"
#include "foxtive/supervisor.h"
#include "lib/facade/validate.h"
#include "lib/shell/caught.h"

namespace foxtive {
namespace {

// Each callable shares the task. All of them are made, because nothing tells which virtuals are
// overridden; the defaults do what an empty hook does.
TaskHooks HooksOf(const std::shared_ptr<SupervisedTask>& task) {
  return {.setup = [task] { return task->Setup(); },
          .cleanup = [task] { task->Cleanup(); },
          .on_restart = [task](int64_t attempt) { task->OnRestart(attempt); },
          .on_error = [task](const absl::Status& error,
                             int64_t attempt) { task->OnError(error, attempt); },
          .on_exception = [task](const std::exception_ptr& exception, std::string_view what,
                                 int64_t attempt) { task->OnException(exception, what, attempt); },
          .should_restart =
              [task](int64_t attempt, const absl::Status& error) {
                return task->ShouldRestart(attempt, error);
              },
          .on_shutdown = [task] { task->OnShutdown(); }};
}

// `asked` is the virtual that is being asked. Takes the reference away from `owner`: a parameter of
// a caller's may live until the end of the statement, which may be after the end of the task. Holds
// it until the end, because Configure may throw away all that the spec holds.
TaskSpec Ask(std::shared_ptr<SupervisedTask>&& owner, const char*& asked) {
  const std::shared_ptr<SupervisedTask> task = std::move(owner);
  TaskSpec spec;
  asked = "name";
  spec.name = task->name();
  asked = "restart_policy";
  spec.restart_policy = task->restart_policy();
  asked = "backoff_strategy";
  spec.backoff = task->backoff_strategy();
  spec.run = [task](TaskContext& context) { return task->Run(context); };
  spec.hooks = HooksOf(task);
  asked = "Configure";
  task->Configure(spec);
  return spec;
}

absl::Status VirtualThrew(const char* asked, const absl::Status& what) {
  try {
    return absl::InvalidArgumentError(absl::StrCat("task: ", asked, "() threw ", what.message()));
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

// MakeTaskSpec without exceptions.
absl::StatusOr<TaskSpec> TryMakeTaskSpec(std::shared_ptr<SupervisedTask> task) {
  if (task == nullptr) return MakeTaskSpec(nullptr);
  const char* asked = "";
  try {
    return Ask(std::move(task), asked);
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  } catch (const std::exception& exception) {
    return VirtualThrew(asked, internal::CaughtStatus(&exception));
  } catch (...) {
    return VirtualThrew(asked, internal::CaughtStatus(nullptr));
  }
}

}  // namespace

RestartPolicy SupervisedTask::restart_policy() const { return TaskSpec().restart_policy; }
BackoffStrategy SupervisedTask::backoff_strategy() const { return TaskSpec().backoff; }
void SupervisedTask::Configure(TaskSpec&) const {}
absl::Status SupervisedTask::Setup() { return absl::OkStatus(); }
void SupervisedTask::Cleanup() {}
void SupervisedTask::OnRestart(int64_t) {}
void SupervisedTask::OnError(const absl::Status&, int64_t) {}
void SupervisedTask::OnException(const std::exception_ptr&, std::string_view, int64_t) {}
bool SupervisedTask::ShouldRestart(int64_t, const absl::Status&) { return true; }
void SupervisedTask::OnShutdown() {}

TaskSpec MakeTaskSpec(std::shared_ptr<SupervisedTask> task) {
  if (task == nullptr) return {.run = internal::NullTask::Run()};
  const char* asked = "";
  return Ask(std::move(task), asked);
}

absl::StatusOr<TaskHandle> Supervisor::Submit(std::string name, RunFunction run) {
  return Submit(TaskSpec{.name = std::move(name), .run = std::move(run)});
}

absl::StatusOr<TaskHandle> Supervisor::Submit(std::shared_ptr<SupervisedTask> task) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  absl::StatusOr<TaskSpec> spec = TryMakeTaskSpec(std::move(task));
  if (!spec.ok()) return spec.status();
  return Submit(*std::move(spec));
}

absl::StatusOr<TaskHandle> Supervisor::Register(std::string name, RunFunction run) {
  return Register(TaskSpec{.name = std::move(name), .run = std::move(run)});
}

absl::StatusOr<TaskHandle> Supervisor::Register(std::shared_ptr<SupervisedTask> task) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  absl::StatusOr<TaskSpec> spec = TryMakeTaskSpec(std::move(task));
  if (!spec.ok()) return spec.status();
  return Register(*std::move(spec));
}

}  // namespace foxtive
