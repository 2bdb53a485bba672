// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// SupervisedTask: a worker as a class to derive from, for programs whose workers are objects
// already. It is another way to write a TaskSpec, and can do exactly what that can.
//
// Lifetime: held by shared_ptr. `MakeTaskSpec`, and `Supervisor::Submit` and `Register` with it,
// take one reference, which is given back when the task is over, before its result is published, on
// a thread of the library that runs user code; that of a refused task on the caller's thread. What
// else holds the object is the caller's affair. One object may be several tasks, one after the
// other or, under different names, at once; then it is called from several threads.
// Thread safety: `Run` and the hooks of one task never run at the same time, except `OnShutdown`,
// which runs beside `Run`. The const ones, which say how it is to be supervised, are called on the
// thread that makes the spec, once each, in the order in which they are declared.
// Blocking: `Run` and the hooks may block as long as they like.
// Errors: `Run` and the hooks may throw, as the callables of a TaskSpec may. What one of the const
// ones throws makes `Submit` and `Register` return `kInvalidArgument` that says which and what
// (std::bad_alloc: `kResourceExhausted`); it leaves `MakeTaskSpec` and `Specs` as it is. A null
// pointer gives a spec that is refused: `kInvalidArgument`, "task".
//
// Example:
//
//   class OrderFeed : public foxtive::SupervisedTask {
//    public:
//     std::string name() const override { return "orders"; }
//     absl::Status Run(foxtive::TaskContext& context) override { return Read(context); }
//     void OnShutdown() override { socket_.Close(); }
//     ...
//   };
//   supervisor.Submit(std::make_shared<OrderFeed>());

#ifndef FOXTIVE_SUPERVISED_TASK_H_
#define FOXTIVE_SUPERVISED_TASK_H_

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/restart_policy.h"
#include "foxtive/task_context.h"
#include "foxtive/task_spec.h"

namespace foxtive {

class SupervisedTask {
 public:
  virtual ~SupervisedTask() = default;

  // --- How it is to be supervised: TaskSpec says what is allowed, and these are its defaults.
  virtual std::string name() const = 0;
  virtual RestartPolicy restart_policy() const;
  virtual BackoffStrategy backoff_strategy() const;

  // Everything else. `spec` has all that the other virtuals said; whatever this changes is what
  // counts. A callable that it puts in the place of `run` or of a hook is called instead of the
  // virtual, and may wrap the one that was there, which calls the virtual. It may use `this` as
  // long as it leaves one of those in the spec: each of them holds the reference to the task.
  virtual void Configure(TaskSpec& spec) const;

  // --- The worker and its hooks: TaskHooks says when each is called. By default they do nothing.
  virtual absl::Status Run(TaskContext& context) = 0;
  virtual absl::Status Setup();
  virtual void Cleanup();
  virtual void OnRestart(int64_t attempt);
  virtual void OnError(const absl::Status& error, int64_t attempt);
  virtual void OnException(const std::exception_ptr& exception, std::string_view what,
                           int64_t attempt);
  virtual bool ShouldRestart(int64_t attempt, const absl::Status& error);
  virtual void OnShutdown();

 protected:
  SupervisedTask() = default;
  // For classes that can be copied; the base has nothing to copy.
  SupervisedTask(const SupervisedTask&) = default;
  SupervisedTask& operator=(const SupervisedTask&) = default;
};

// The same as a spec. Throws what a virtual throws that it asks, and std::bad_alloc.
TaskSpec MakeTaskSpec(std::shared_ptr<SupervisedTask> task);

namespace internal {

template <typename S>
concept IsTaskSpec = std::same_as<S, TaskSpec>;  // an rvalue: a spec can't be copied

template <typename S>
concept IsTaskPointer = std::convertible_to<S&&, std::shared_ptr<SupervisedTask>>;

template <typename S>
void AppendSpec(std::vector<TaskSpec>& specs, S&& spec) {
  static_assert(IsTaskSpec<S> || IsTaskPointer<S>,
                "foxtive::Specs takes TaskSpecs (temporaries, or std::move) and "
                "std::shared_ptrs to classes derived publicly from foxtive::SupervisedTask");
  if constexpr (IsTaskSpec<S>) {
    specs.push_back(std::forward<S>(spec));
  } else if constexpr (IsTaskPointer<S>) {
    specs.push_back(MakeTaskSpec(std::forward<S>(spec)));
  }
}

}  // namespace internal

// For `Supervisor::RegisterAll` and `SpawnSupervisedMany`: specs, and tasks in the class form, as a
// list, which can't be written in braces because a spec can only be moved.
//
//   supervisor.RegisterAll(foxtive::Specs(foxtive::TaskSpec{.name = "prices", .run = FetchPrices},
//                                         std::make_shared<OrderFeed>()));
template <class... S>
std::vector<TaskSpec> Specs(S&&... specs) {
  std::vector<TaskSpec> list;
  list.reserve(sizeof...(specs));
  (internal::AppendSpec(list, std::forward<S>(specs)), ...);
  return list;
}

}  // namespace foxtive

#endif  // FOXTIVE_SUPERVISED_TASK_H_
