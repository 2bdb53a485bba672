// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Workers of every form, run by a Supervisor: which form is taken where several fit, which call
// operator is called, what its result means, and that none is as good as an empty one.

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::StartsWith;

// The result of a worker that is tried up to three times.
SupervisionResult ResultOf(RunFunction run) {
  Supervisor supervisor;
  TaskSpec spec = Spec("task", std::move(run));
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  return AwaitResult(Submit(supervisor, std::move(spec)));
}

// A worker that fails tells by its error which one it is. OK if it completes.
absl::Status Said(std::string_view who) { return absl::AbortedError(std::string(who)); }

std::string WhatRan(RunFunction run) {
  const SupervisionResult result = ResultOf(std::move(run));
  EXPECT_EQ(result.total_attempts, result.last_error.ok() ? 1 : 3) << result;
  return result.last_error.ok() ? "OK" : std::string(result.last_error.message());
}

absl::Status ContextWorker(TaskContext& context) {
  return Said(absl::StrCat("context ", context.attempt()));
}
absl::Status ConstContextWorker(const TaskContext& context) {
  return Said(absl::StrCat("const context ", context.attempt()));
}
absl::Status TokenWorker(std::stop_token token) {
  return Said(token.stop_possible() ? "token" : "a token of nothing");
}
absl::Status TokenReferenceWorker(const std::stop_token& token) {
  return Said(token.stop_possible() ? "const token&" : "a token of nothing");
}
absl::Status TokenRvalueWorker(std::stop_token&& token) {
  return Said(token.stop_possible() ? "token&&" : "a token of nothing");
}
absl::Status PlainWorker() { return Said("nothing"); }
void VoidContextWorker(TaskContext&) {}
void VoidTokenWorker(std::stop_token) {}
void VoidPlainWorker() {}

TEST(RunFunctionCallsTest, FunctionsOfEveryForm) {
  EXPECT_EQ(WhatRan(ContextWorker), "context 3");
  EXPECT_EQ(WhatRan(&ContextWorker), "context 3");
  EXPECT_EQ(WhatRan(ConstContextWorker), "const context 3");
  EXPECT_EQ(WhatRan(TokenWorker), "token");
  EXPECT_EQ(WhatRan(TokenReferenceWorker), "const token&");
  EXPECT_EQ(WhatRan(TokenRvalueWorker), "token&&");
  EXPECT_EQ(WhatRan(PlainWorker), "nothing");
  EXPECT_EQ(WhatRan(VoidContextWorker), "OK");
  EXPECT_EQ(WhatRan(VoidTokenWorker), "OK");
  EXPECT_EQ(WhatRan(VoidPlainWorker), "OK");
}

TEST(RunFunctionCallsTest, StdFunctionsOfEveryForm) {
  using Token = std::stop_token;
  EXPECT_EQ(WhatRan(std::function<absl::Status(TaskContext&)>(ContextWorker)), "context 3");
  EXPECT_EQ(WhatRan(std::function<absl::Status(const TaskContext&)>(ConstContextWorker)),
            "const context 3");
  EXPECT_EQ(WhatRan(std::function<absl::Status(Token)>(TokenWorker)), "token");
  EXPECT_EQ(WhatRan(std::function<absl::Status(const Token&)>(TokenReferenceWorker)),
            "const token&");
  EXPECT_EQ(WhatRan(std::function<absl::Status(Token &&)>(TokenRvalueWorker)), "token&&");
  EXPECT_EQ(WhatRan(std::function<absl::Status()>(PlainWorker)), "nothing");
  EXPECT_EQ(WhatRan(std::function<void(TaskContext&)>(VoidContextWorker)), "OK");
  EXPECT_EQ(WhatRan(std::function<void(const Token&)>(VoidTokenWorker)), "OK");
  EXPECT_EQ(WhatRan(std::function<void()>(VoidPlainWorker)), "OK");
}

TEST(RunFunctionCallsTest, TheTokenIsThatOfTheTask) {
  Supervisor supervisor;
  Notification running;
  const TaskHandle handle =
      Submit(supervisor, Spec("task", [&running](const std::stop_token& token) {
               Notification stopped;
               const std::stop_callback callback(token, [&stopped] { stopped.Notify(); });
               running.Notify();
               stopped.Await("the stop");
               return Said("stopped");
             }));
  running.Await("run");
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(AwaitResult(handle).last_error.message(), "stopped");
}

TEST(RunFunctionCallsTest, BoundFunctionsGetWhatIsLeft) {
  struct Feed {
    absl::Status Read(int shard, TaskContext& context) {
      return Said(absl::StrCat("shard ", shard, " attempt ", context.attempt()));
    }
    absl::Status Poll(const std::stop_token&) const { return Said("poll"); }
    absl::Status Once() noexcept { return Said("once"); }
  };
  const auto feed = std::make_shared<Feed>();
  EXPECT_EQ(WhatRan(std::bind_front(&Feed::Read, feed, 7)), "shard 7 attempt 3");
  EXPECT_EQ(WhatRan(std::bind_front(&Feed::Poll, feed)), "poll");
  EXPECT_EQ(WhatRan(std::bind_front(&Feed::Once, feed.get())), "once");
  EXPECT_EQ(WhatRan(std::bind(&Feed::Read, feed, 7, std::placeholders::_1)), "shard 7 attempt 3");
  EXPECT_EQ(WhatRan(std::bind(&Feed::Poll, feed, std::placeholders::_1)), "poll");
  // A std::bind takes more than it passes on.
  EXPECT_EQ(WhatRan(std::bind(&Feed::Once, feed)), "once");
}

TEST(RunFunctionCallsTest, NoexceptChangesNothing) {
  struct Quiet {
    absl::Status operator()(TaskContext& context) noexcept { return ContextWorker(context); }
  };
  EXPECT_EQ(WhatRan(Quiet()), "context 3");
  EXPECT_EQ(WhatRan([](std::stop_token token) noexcept { return TokenWorker(token); }), "token");
  EXPECT_EQ(WhatRan([]() noexcept {}), "OK");
  absl::Status (*function)() noexcept = []() noexcept { return PlainWorker(); };
  EXPECT_EQ(WhatRan(function), "nothing");
}

TEST(RunFunctionCallsTest, MoveOnlyWorkersKeepTheirStateFromAttemptToAttempt) {
  struct Counter {
    absl::Status operator()(std::stop_token) { return Said(absl::StrCat("call ", ++*calls)); }
    std::unique_ptr<int> calls = std::make_unique<int>(0);
  };
  EXPECT_EQ(WhatRan(Counter()), "call 3");
  Counter counter;
  *counter.calls = 10;
  EXPECT_EQ(WhatRan(std::move(counter)), "call 13");
  EXPECT_EQ(WhatRan([calls = std::make_unique<int>(0)]() noexcept {
              return Said(absl::StrCat("call ", ++*calls));
            }),
            "call 3");
  EXPECT_EQ(WhatRan(absl::AnyInvocable<absl::Status(TaskContext&)>(ContextWorker)), "context 3");
}

TEST(RunFunctionCallsTest, ANamedWorkerIsCopied) {
  auto worker = [calls = 0]() mutable { return Said(absl::StrCat("call ", ++calls)); };
  EXPECT_EQ(WhatRan(worker), "call 3");
  EXPECT_EQ(WhatRan(worker), "call 3");
  EXPECT_EQ(WhatRan(std::ref(worker)), "call 3");
  EXPECT_EQ(WhatRan(std::ref(worker)), "call 6");
}

TEST(RunFunctionCallsTest, GenericLambdasGetTheContext) {
  EXPECT_EQ(WhatRan([](auto&& context) { return ContextWorker(context); }), "context 3");
  EXPECT_EQ(WhatRan([](auto& context) { return ContextWorker(context); }), "context 3");
  EXPECT_EQ(WhatRan([](const auto& context) { return ConstContextWorker(context); }),
            "const context 3");
  EXPECT_EQ(WhatRan([](auto&&... context) { return ContextWorker(context...); }), "context 3");
}

// By value there is no context to be had.
TEST(RunFunctionCallsTest, GenericLambdasByValueGetTheToken) {
  EXPECT_EQ(WhatRan([](auto token) -> absl::Status { return TokenWorker(token); }), "token");
  EXPECT_EQ(WhatRan([](std::same_as<std::stop_token> auto&& token) { return TokenWorker(token); }),
            "token");
}

TEST(RunFunctionCallsTest, DefaultArgumentsAreForWhatIsNotPassed) {
  EXPECT_EQ(WhatRan([](int shard = 4) { return Said(absl::StrCat("shard ", shard)); }), "shard 4");
  EXPECT_EQ(WhatRan([](std::stop_token token = {}) { return TokenWorker(token); }), "token");
  EXPECT_EQ(WhatRan([](TaskContext& context, int = 4) { return ContextWorker(context); }),
            "context 3");
}

struct AllForms {
  absl::Status operator()(TaskContext&) { return Said("TaskContext&"); }
  absl::Status operator()(std::stop_token) { return Said("token"); }
  absl::Status operator()() { return Said("nothing"); }
};
struct TokenOrNothing {
  absl::Status operator()() { return Said("nothing"); }
  absl::Status operator()(std::stop_token) { return Said("token"); }
};
struct VoidBeforeStatus {
  absl::Status operator()(std::stop_token) { return Said("token"); }
  void operator()(TaskContext&) {}
};
struct ContextTwice {
  absl::Status operator()(const TaskContext&) { return Said("const TaskContext&"); }
  absl::Status operator()(TaskContext&) { return Said("TaskContext&"); }
};
struct ConstContextBeforeToken {
  absl::Status operator()(std::stop_token) { return Said("token"); }
  absl::Status operator()(const TaskContext&) { return Said("const TaskContext&"); }
};
// The int is no success, and not in the way.
struct WrongResultFirst {
  int operator()(TaskContext&) { return 0; }
  bool operator()(std::stop_token) { return true; }
  absl::Status operator()() { return Said("nothing"); }
};

TEST(RunFunctionCallsTest, OfSeveralFormsTheFirstInTheListIsTaken) {
  EXPECT_EQ(WhatRan(AllForms()), "TaskContext&");
  EXPECT_EQ(WhatRan(TokenOrNothing()), "token");
  EXPECT_EQ(WhatRan(VoidBeforeStatus()), "OK");
  EXPECT_EQ(WhatRan(ContextTwice()), "TaskContext&");
  EXPECT_EQ(WhatRan(ConstContextBeforeToken()), "const TaskContext&");
  EXPECT_EQ(WhatRan(WrongResultFirst()), "nothing");
}

struct EveryQualifier {
  absl::Status operator()() & { return Said("&"); }
  absl::Status operator()() const& { return Said("const&"); }
  absl::Status operator()() && { return Said("&&"); }
  absl::Status operator()() const&& { return Said("const&&"); }
};
struct ConstOrNot {
  absl::Status operator()() { return Said("not const"); }
  absl::Status operator()() const { return Said("const"); }
};
struct ConstOrRvalue {
  absl::Status operator()() const& { return Said("const&"); }
  absl::Status operator()() && { return Said("&&"); }
};
struct ConstRvalueOrToken {
  absl::Status operator()(TaskContext&) && { return Said("&&"); }
  absl::Status operator()(std::stop_token) const { return Said("token"); }
};

TEST(RunFunctionCallsTest, CalledAsAnLvalueThatIsNotConst) {
  EXPECT_EQ(WhatRan(EveryQualifier()), "&");
  EXPECT_EQ(WhatRan(ConstOrNot()), "not const");
  const ConstOrNot constant{};
  EXPECT_EQ(WhatRan(constant), "not const");  // a copy of it, that is
  EXPECT_EQ(WhatRan(std::cref(constant)), "const");
  EXPECT_EQ(WhatRan(ConstOrRvalue()), "const&");
  EXPECT_EQ(WhatRan(ConstRvalueOrToken()), "token");
}

struct OwnStatus {
  operator absl::Status() const { return Said("own status"); }
};

TEST(RunFunctionCallsTest, ResultsThatAreSurelyAStatus) {
  EXPECT_EQ(WhatRan([copy = Said("reference")]() -> const absl::Status& { return copy; }),
            "reference");
  EXPECT_EQ(WhatRan([] { return OwnStatus(); }), "own status");
  EXPECT_EQ(WhatRan([]() -> const absl::Status { return Said("const"); }), "const");
  EXPECT_EQ(WhatRan([] { return absl::StatusOr<int>(Said("the status of")).status(); }),
            "the status of");
}

TEST(RunFunctionCallsTest, VoidFailsByThrowing) {
  const SupervisionResult result = ResultOf([] { throw std::runtime_error("no"); });
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result.last_error.message(), "std::runtime_error: no");
  EXPECT_EQ(ResultOf([] {}).final_status, SupervisionStatus::kCompletedNormally);
}

// Neither a handle nor a task comes of it.
void ExpectRefused(RunFunction run) {
  EXPECT_FALSE(run);
  Supervisor supervisor;
  const absl::Status refused = supervisor.Submit(Spec("task", std::move(run))).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), StartsWith("run: "));
  EXPECT_EQ(supervisor.task_count(), 0);
}

template <typename Signature>
void ExpectNothingIsRefused() {
  Signature* const null = nullptr;
  ExpectRefused(null);
  ExpectRefused(std::function<Signature>());
  ExpectRefused(std::function<Signature>(nullptr));
  ExpectRefused(std::function<Signature>(null));
  const std::function<Signature> constant;
  ExpectRefused(constant);
  ExpectRefused(absl::AnyInvocable<Signature>());
}

TEST(RunFunctionCallsTest, NothingOfEveryFormIsRefused) {
  ExpectNothingIsRefused<absl::Status(TaskContext&)>();
  ExpectNothingIsRefused<void(TaskContext&)>();
  ExpectNothingIsRefused<absl::Status(const TaskContext&)>();
  ExpectNothingIsRefused<absl::Status(std::stop_token)>();
  ExpectNothingIsRefused<void(std::stop_token)>();
  ExpectNothingIsRefused<absl::Status(const std::stop_token&)>();
  ExpectNothingIsRefused<absl::Status()>();
  ExpectNothingIsRefused<void()>();
  ExpectRefused(nullptr);
  ExpectRefused({});
  void (*quiet)() noexcept = nullptr;
  ExpectRefused(quiet);
}

// A method of the context is a worker, if an odd one.
TEST(RunFunctionCallsTest, NullMethodsAreRefused) {
  void (TaskContext::*method)() = nullptr;
  ExpectRefused(method);
  absl::Status (TaskContext::*constant)() const noexcept = nullptr;
  ExpectRefused(constant);
  EXPECT_EQ(WhatRan(&TaskContext::MarkHealthy), "OK");
}

// What a functor says of itself is believed.
TEST(RunFunctionCallsTest, WhateverEqualsNullptrIsRefused) {
  struct Delegate {
    absl::Status operator()() const { return Said("delegate"); }
    bool operator==(std::nullptr_t) const { return !set; }
    bool set = false;
  };
  ExpectRefused(Delegate());
  EXPECT_EQ(WhatRan(Delegate{.set = true}), "delegate");
}

}  // namespace
}  // namespace foxtive::test
