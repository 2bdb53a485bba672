// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What RunFunction accepts as a worker, what it refuses, which form it takes where several fit, and
// what it takes as no worker at all. Calling one needs a TaskContext, and so a running task.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "foxtive/task_context.h"
#include "foxtive/task_spec.h"
#include "gtest/gtest.h"

namespace foxtive {
namespace {

template <typename F>
constexpr bool kAccepted = internal::kRunnable<std::decay_t<F>>;

template <typename... Args>
using StatusOf = absl::Status (*)(Args...);
template <typename... Args>
using VoidOf = void (*)(Args...);

// The six forms of the contract, as function pointers.
static_assert(kAccepted<StatusOf<TaskContext&>> && kAccepted<VoidOf<TaskContext&>>);
static_assert(kAccepted<StatusOf<std::stop_token>> && kAccepted<VoidOf<std::stop_token>>);
static_assert(kAccepted<StatusOf<>> && kAccepted<VoidOf<>>);

// Close relatives of the parameters.
static_assert(kAccepted<StatusOf<const TaskContext&>>);
static_assert(kAccepted<StatusOf<const std::stop_token&>>);
static_assert(kAccepted<StatusOf<std::stop_token&&>>);
static_assert(kAccepted<absl::Status (*)(TaskContext&) noexcept>);
static_assert(!kAccepted<StatusOf<TaskContext>>, "a context cannot be copied");
static_assert(!kAccepted<StatusOf<TaskContext*>>);
static_assert(!kAccepted<StatusOf<TaskContext&&>>);
static_assert(!kAccepted<StatusOf<std::stop_token&>>, "there is no token to refer to");
static_assert(!kAccepted<StatusOf<std::stop_source>>);
static_assert(!kAccepted<StatusOf<TaskContext&, std::stop_token>>);
static_assert(!kAccepted<StatusOf<int>>);

// Results: void, or what becomes a Status by itself.
struct BecomesStatus {
  operator absl::Status() const { return absl::OkStatus(); }
};
struct BecomesStatusOnRequest {
  explicit operator absl::Status() const { return absl::OkStatus(); }
};
static_assert(kAccepted<BecomesStatus (*)()>);
static_assert(kAccepted<const absl::Status& (*)()>);
static_assert(!kAccepted<BecomesStatusOnRequest (*)()>);
static_assert(!kAccepted<bool (*)()>, "true could mean success or failure");
static_assert(!kAccepted<int (*)(TaskContext&)>);
static_assert(!kAccepted<absl::StatusCode (*)()>);
static_assert(!kAccepted<std::string (*)(std::stop_token)>);
static_assert(!kAccepted<absl::StatusOr<int> (*)()>);

// What is not a worker.
static_assert(!kAccepted<int>);
static_assert(!kAccepted<const char*>);
static_assert(!kAccepted<absl::Status>);

// Only movable, like what it holds.
static_assert(std::movable<RunFunction> && std::is_nothrow_move_constructible_v<RunFunction>);
static_assert(!std::copyable<RunFunction>);
static_assert(!std::convertible_to<RunFunction, bool>, "a worker is not a number");
static_assert(std::same_as<decltype(std::declval<RunFunction&>()(std::declval<TaskContext&>())),
                           absl::Status>);

struct MutableOnly {
  absl::Status operator()() { return absl::OkStatus(); }
};
struct RvalueOnly {
  absl::Status operator()() && { return absl::OkStatus(); }
};
static_assert(kAccepted<MutableOnly>);
static_assert(!kAccepted<RvalueOnly>, "it could be called once only");

// Every form fits; the results of the last two would be refused if they were looked at.
struct PrefersContext {
  absl::Status operator()(TaskContext&) { return absl::OkStatus(); }
  int operator()(std::stop_token) { return 0; }
  int operator()() { return 0; }
};
struct PrefersToken {
  void operator()(std::stop_token) {}
  int operator()() { return 0; }
};
// A form with a wrong result does not stand in the way of the next.
struct FallsThrough {
  int operator()(TaskContext&) { return 0; }
  absl::Status operator()(std::stop_token) { return absl::OkStatus(); }
};
static_assert(kAccepted<PrefersContext> && kAccepted<PrefersToken> && kAccepted<FallsThrough>);

absl::Status FreeFunction(TaskContext&) { return absl::OkStatus(); }
void StopAwareFreeFunction(std::stop_token) {}

TEST(RunFunctionTest, HoldsEveryForm) {
  EXPECT_TRUE(RunFunction(FreeFunction));
  EXPECT_TRUE(RunFunction(&FreeFunction));
  EXPECT_TRUE(RunFunction(StopAwareFreeFunction));
  EXPECT_TRUE(RunFunction([](TaskContext&) { return absl::OkStatus(); }));
  EXPECT_TRUE(RunFunction([](TaskContext&) {}));
  EXPECT_TRUE(RunFunction([](std::stop_token) { return absl::OkStatus(); }));
  EXPECT_TRUE(RunFunction([](std::stop_token) {}));
  EXPECT_TRUE(RunFunction([] { return absl::OkStatus(); }));
  EXPECT_TRUE(RunFunction([] {}));
  EXPECT_TRUE(RunFunction(PrefersContext()));
  EXPECT_TRUE(RunFunction(PrefersToken()));
  EXPECT_TRUE(RunFunction(FallsThrough()));
}

TEST(RunFunctionTest, HoldsMutableAndMoveOnlyCallables) {
  EXPECT_TRUE(RunFunction([count = 0]() mutable { ++count; }));
  EXPECT_TRUE(RunFunction([owned = std::make_unique<int>(1)](std::stop_token) {}));
  EXPECT_TRUE(RunFunction(absl::AnyInvocable<absl::Status()>(MutableOnly())));
  MutableOnly borrowed;
  EXPECT_TRUE(RunFunction(std::ref(borrowed)));
}

TEST(RunFunctionTest, HoldsMethodsOfTheContextAndBoundMethods) {
  struct Worker {
    absl::Status Run(std::stop_token) { return absl::OkStatus(); }
  };
  Worker worker;
  EXPECT_TRUE(RunFunction(std::bind_front(&Worker::Run, &worker)));
  EXPECT_TRUE(RunFunction(&TaskContext::MarkHealthy));
}

// The bodies compile for the one parameter only, so another choice would not build.
TEST(RunFunctionTest, GenericCallablesGetTheContext) {
  EXPECT_TRUE(RunFunction([](auto& context) {
    static_assert(std::same_as<decltype(context), TaskContext&>);
    return absl::OkStatus();
  }));
  EXPECT_TRUE(RunFunction([](auto&&... context) {
    static_assert(std::same_as<void(decltype(context)...), void(TaskContext&)>);
  }));
}

TEST(RunFunctionTest, GenericCallablesThatCannotTakeTheContextGetTheToken) {
  EXPECT_TRUE(RunFunction([](std::copyable auto token) {
    static_assert(std::same_as<decltype(token), std::stop_token>);
  }));
}

TEST(RunFunctionTest, NothingIsEmpty) {
  EXPECT_FALSE(RunFunction());
  EXPECT_FALSE(RunFunction(nullptr));
  EXPECT_FALSE(TaskSpec().run);
  EXPECT_FALSE(TaskSpec{.run = {}}.run);
}

TEST(RunFunctionTest, NullPointersAreEmpty) {
  EXPECT_FALSE(RunFunction(StatusOf<TaskContext&>()));
  EXPECT_FALSE(RunFunction(VoidOf<std::stop_token>()));
  EXPECT_FALSE(RunFunction(StatusOf<>()));
  void (TaskContext::*method)() = nullptr;
  EXPECT_FALSE(RunFunction(method));
}

TEST(RunFunctionTest, EmptyWrappersAreEmpty) {
  EXPECT_FALSE(RunFunction(std::function<absl::Status(TaskContext&)>()));
  EXPECT_FALSE(RunFunction(std::function<void(std::stop_token)>()));
  EXPECT_FALSE(RunFunction(std::function<void()>(VoidOf<>())));
  EXPECT_FALSE(RunFunction(absl::AnyInvocable<absl::Status()>()));
  const std::function<void()> empty;
  EXPECT_FALSE(RunFunction(empty));
  EXPECT_TRUE(RunFunction(std::function<void()>([] {})));
}

TEST(RunFunctionTest, MovingTakesTheWorkerAlong) {
  RunFunction first([] {});
  RunFunction second(std::move(first));
  EXPECT_TRUE(second);
  first = std::move(second);
  EXPECT_TRUE(first);
  first = nullptr;
  EXPECT_FALSE(first);
}

TEST(RunFunctionTest, OwnsWhatTheWorkerCaptured) {
  const auto captured = std::make_shared<int>(0);
  RunFunction run([captured] {});
  EXPECT_EQ(captured.use_count(), 2);
  RunFunction moved = std::move(run);
  EXPECT_EQ(captured.use_count(), 2);
  moved = nullptr;
  EXPECT_EQ(captured.use_count(), 1);
}

TEST(RunFunctionTest, CopiesANamedCallableAndMovesATemporaryOne) {
  const auto captured = std::make_shared<int>(0);
  auto worker = [held = std::shared_ptr<int>(captured)](TaskContext&) {};
  const RunFunction copy(worker);
  EXPECT_EQ(captured.use_count(), 3);
  const RunFunction moved(std::move(worker));
  EXPECT_EQ(captured.use_count(), 3);
}

}  // namespace
}  // namespace foxtive
