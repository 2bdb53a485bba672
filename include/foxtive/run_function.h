// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// RunFunction: the worker of a task, whatever callable it is. It is built from a function, a
// lambda, a functor (also a move-only one) or a std::function of one of these forms; the first that
// fits is taken:
//
//   absl::Status run(TaskContext& context);     void run(TaskContext& context);
//   absl::Status run(std::stop_token stop);     void run(std::stop_token stop);
//   absl::Status run();                         void run();
//
// Parameters that these convert to do as well: `const TaskContext&`, `const std::stop_token&`. A
// generic callable, `[](auto&& context)`, fits the first form and gets the context: it leads to
// everything else. (`[](auto token)` may not compile, because its body is looked at with a context
// before it is known that contexts are not copied: say `std::stop_token`.) Where a call operator is
// overloaded, each form is looked at as a whole: one with a wrong result is passed over.
//
// `void` counts as success: such a worker fails by throwing. In place of an absl::Status there may
// be a type of one's own with a conversion to it. Nothing else is taken for one: whether a bool, an
// int or an absl::StatusOr means success is the worker's to say.
//
// A worker is called anew for each attempt, on the one object: as an lvalue that is not const. What
// it keeps in itself stays from attempt to attempt.
//
// A null pointer and an empty std::function, or whatever else equals nullptr, make an empty
// RunFunction, which a Supervisor refuses.
//
// Lifetime: owns the callable. Thread safety: as the callable. Blocking: as the callable. Errors:
// anything else does not compile, with one message that says so. Making one throws what copying or
// moving the callable throws, and `std::bad_alloc`.

#ifndef FOXTIVE_RUN_FUNCTION_H_
#define FOXTIVE_RUN_FUNCTION_H_

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "foxtive/task_context.h"

namespace foxtive {

namespace internal {

class Unrelated {};

// What converts to just anything is not surely a status.
template <typename Result>
concept RunResult = std::is_void_v<Result> ||
    (std::convertible_to<Result, absl::Status> && !std::convertible_to<Result, Unrelated>);

template <typename F, typename... Args>
concept RunsWith = std::invocable<F&, Args...> && RunResult<std::invoke_result_t<F&, Args...>>;

// The first that holds is the last that is looked at: a generic callable may compile for it only.
template <typename F>
concept Runnable = RunsWith<F, TaskContext&> || RunsWith<F, std::stop_token> || RunsWith<F>;

// For static_assert: of a concept that does not hold, compilers tell at length why.
template <typename F>
inline constexpr bool kRunnable = Runnable<F>;

template <typename F>
inline constexpr bool kKeepable =
    std::is_constructible_v<std::decay_t<F>, F>&& std::is_move_constructible_v<std::decay_t<F>>;

struct NullTask;
class TaskRecord;

}  // namespace internal

class RunFunction {
 public:
  RunFunction() = default;
  RunFunction(std::nullptr_t) {}

  template <typename F>
  // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): moves are excluded, by `requires`.
  requires(!std::same_as<std::remove_cvref_t<F>, RunFunction>) RunFunction(F&& run) {
    using Worker = std::decay_t<F>;
    static_assert(
        internal::kRunnable<Worker>,
        "a worker takes a foxtive::TaskContext&, a std::stop_token or nothing, returns an "
        "absl::Status or nothing, and can be called more than once");
    static_assert(internal::kKeepable<F> || !internal::kRunnable<Worker>,
                  "a worker is copied or moved into the task: std::move one that cannot be copied");
    if constexpr (internal::kRunnable<Worker> && internal::kKeepable<F>) {
      if (!IsEmpty(run)) function_ = Adapt(Worker(std::forward<F>(run)));
    }
  }

  RunFunction(RunFunction&&) = default;
  RunFunction& operator=(RunFunction&&) = default;

  explicit operator bool() const { return static_cast<bool>(function_); }

  // REQUIRES: not empty.
  absl::Status operator()(TaskContext& context) {
    std::exception_ptr thrown;
    absl::Status status = function_(context, thrown);
    if (thrown != nullptr) std::rethrow_exception(std::move(thrown));
    return status;
  }

 private:
  friend struct internal::NullTask;
  friend class internal::TaskRecord;

  // Catches what the worker throws, next to it: each frame that an exception passes on its way
  // costs as much as a restart.
  using Function = absl::AnyInvocable<absl::Status(TaskContext&, std::exception_ptr& thrown)>;

  template <typename F>
  static bool IsEmpty(const F& run) {
    if constexpr (requires { static_cast<bool>(run == nullptr); }) {
      return static_cast<bool>(run == nullptr);
    } else {
      return false;
    }
  }

  template <typename F>
  static Function Adapt(F run) {
    if constexpr (internal::RunsWith<F, TaskContext&>) {
      return [run = std::move(run)](TaskContext& context, std::exception_ptr& thrown) mutable {
        return Catching(thrown, [&] { return Call(run, context); });
      };
    } else if constexpr (internal::RunsWith<F, std::stop_token>) {
      return [run = std::move(run)](TaskContext& context, std::exception_ptr& thrown) mutable {
        return Catching(thrown, [&] { return Call(run, context.stop_token()); });
      };
    } else {
      return [run = std::move(run)](TaskContext&, std::exception_ptr& thrown) mutable {
        return Catching(thrown, [&] { return Call(run); });
      };
    }
  }

  template <typename F, typename... Args>
  static absl::Status Call(F& run, Args&&... args) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Args...>>) {
      std::invoke(run, std::forward<Args>(args)...);
      return absl::OkStatus();
    } else {
      return std::invoke(run, std::forward<Args>(args)...);
    }
  }

  template <typename Function>
  static absl::Status Catching(std::exception_ptr& thrown, Function function) noexcept {
    try {
      return function();
    } catch (const std::exception& exception) {
      return Caught(&exception, thrown);
    } catch (...) {
      return Caught(nullptr, thrown);
    }
  }

  // In the catch block: the exception, and what it says as a status.
  static absl::Status Caught(const std::exception* exception, std::exception_ptr& thrown) noexcept;

  Function function_;
  bool of_null_task_ = false;  // empty because MakeTaskSpec was given no task
};

}  // namespace foxtive

#endif  // FOXTIVE_RUN_FUNCTION_H_
