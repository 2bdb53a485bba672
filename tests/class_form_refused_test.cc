// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Tasks in the class form: who owns the object until when, virtuals that throw, and null.

#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Ends = Recorder<std::thread::id>;

// Runs `run`; notes on which thread it is destroyed.
class OwnedTask : public SupervisedTask {
 public:
  OwnedTask(Ends& ends, std::function<void(TaskContext&)> run)
      : ends_(ends), run_(std::move(run)) {}
  ~OwnedTask() override { ends_.Add(std::this_thread::get_id()); }

  std::string name() const override { return "owned"; }
  BackoffStrategy backoff_strategy() const override {
    return BackoffStrategy::Constant(absl::Hours(1));
  }
  absl::Status Run(TaskContext& context) override {
    run_(context);
    return absl::OkStatus();
  }

 private:
  Ends& ends_;
  const std::function<void(TaskContext&)> run_;
};

// The object is gone, and it was not this thread that destroyed it.
void ExpectDestroyedElsewhere(const Ends& ends) {
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_NE(ends.Entries().front(), std::this_thread::get_id());
}

void ExpectDestroyedHere(const Ends& ends) {
  EXPECT_THAT(ends.Entries(), ElementsAre(std::this_thread::get_id()));
}

TEST(Semantics, S1_TheTaskIsDestroyedOnALaneBeforeTheResultIsThere) {
  const auto supervisor = MakeSupervisor();
  for (int i = 0; i < 100; ++i) {
    Ends ends;
    const absl::StatusOr<TaskHandle> handle =
        supervisor->Submit(std::make_shared<OwnedTask>(ends, [](TaskContext&) {}));
    ASSERT_TRUE(handle.ok()) << handle.status();
    AwaitResult(*handle);
    ExpectDestroyedElsewhere(ends);
  }
}

TEST(Semantics, S1_ATaskThatIsStoppedInItsDelayIsDestroyedElsewhereToo) {
  const auto supervisor = MakeSupervisor();
  Ends ends;
  const TaskHandle handle = supervisor
                                ->Submit(std::make_shared<OwnedTask>(
                                    ends, [](TaskContext&) { throw std::runtime_error("oh"); }))
                                .value();
  AwaitBackoff(handle, 1);
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  ExpectDestroyedElsewhere(ends);
}

// The argument of MakeTaskSpec lives until the end of the statement; by then the task may be over.
TEST(Semantics, S1_NoArgumentKeepsATaskLongerThanItsSpec) {
  Ends ends;
  const auto expect_only_owner = [&ends](TaskSpec spec) {
    spec = TaskSpec();
    ExpectDestroyedHere(ends);
  };
  expect_only_owner(MakeTaskSpec(std::make_shared<OwnedTask>(ends, nullptr)));
  Ends of_list;
  const auto expect_only_owners = [&of_list](std::vector<TaskSpec> specs) {
    specs.clear();
    EXPECT_EQ(of_list.size(), 2u);
  };
  expect_only_owners(Specs(std::make_shared<OwnedTask>(of_list, nullptr),
                           MakeTaskSpec(std::make_shared<OwnedTask>(of_list, nullptr))));
}

TEST(Semantics, S15_AnAbandonedTaskLivesUntilItReturns) {
  Ends ends;
  StuckWorker worker;
  const auto supervisor = MakeSupervisor();
  const TaskHandle handle = supervisor
                                ->Submit(std::make_shared<OwnedTask>(
                                    ends, [block = worker.Run()](TaskContext&) { block(); }))
                                .value();
  worker.AwaitEntered();
  EXPECT_FALSE(supervisor->Shutdown(absl::ZeroDuration()).ok());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  EXPECT_EQ(ends.size(), 0u);
  worker.Release();
  AwaitState(handle, TaskState::kFinished);
  ExpectDestroyedElsewhere(ends);
}

TEST(Semantics, S20_ARefusedTaskIsDestroyedOnTheThreadOfTheCaller) {
  const auto supervisor = MakeSupervisor();
  Register(*supervisor, Spec("owned", [] {}));
  Ends ends;
  EXPECT_EQ(supervisor->Submit(std::make_shared<OwnedTask>(ends, nullptr)).status().code(),
            absl::StatusCode::kAlreadyExists);
  ExpectDestroyedHere(ends);
  ASSERT_TRUE(supervisor->Shutdown().ok());
  Ends late;
  EXPECT_EQ(supervisor->Register(std::make_shared<OwnedTask>(late, nullptr)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  ExpectDestroyedHere(late);
}

// Two tasks of one object: both call it, and the last one that is over lets go of it.
TEST(ClassFormTest, OneObjectMayBeSeveralTasks) {
  Ends ends;
  Latch both(2);
  const auto supervisor = MakeSupervisor();
  std::vector<TaskSpec> specs;
  {
    const auto task = std::make_shared<OwnedTask>(
        ends, [&both](TaskContext&) { both.CountDownAndAwait("the other task"); });
    specs = Specs(task, task);
  }
  specs[1].name = "owned too";
  ASSERT_TRUE(supervisor->RegisterAll(std::move(specs)).ok());
  ASSERT_TRUE(supervisor->StartAll().ok());
  EXPECT_EQ(supervisor->WaitAll().value().size(), 2u);
  ExpectDestroyedElsewhere(ends);
}

// --- Virtuals that throw

// Throws by calling `fail` in the virtual called `where`.
class ThrowingTask : public OwnedTask {
 public:
  ThrowingTask(Ends& ends, std::string where, std::function<void()> fail)
      : OwnedTask(ends, nullptr), where_(std::move(where)), fail_(std::move(fail)) {}

  std::string name() const override { return FailIn("name"), "throwing"; }
  RestartPolicy restart_policy() const override {
    return FailIn("restart_policy"), RestartPolicy::Always();
  }
  BackoffStrategy backoff_strategy() const override {
    return FailIn("backoff_strategy"), BackoffStrategy::Exponential();
  }
  void Configure(TaskSpec& spec) const override {
    spec.name = "half-way";
    FailIn("Configure");
  }

 private:
  void FailIn(const std::string& here) const {
    if (here == where_) fail_();
  }

  const std::string where_;
  const std::function<void()> fail_;
};

struct NoText : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

struct Thrown {
  std::function<void()> fail;
  std::string what;
};

const std::vector<Thrown>& AllThrown() {
  static const auto& all = *new std::vector<Thrown>{
      {[] { throw std::runtime_error("no config"); }, "std::runtime_error: no config"},
      {[] { throw 42; }, "int"},
      {[] { throw NoText(); }, "(null)"}};
  return all;
}

constexpr const char* kAsked[] = {"name", "restart_policy", "backoff_strategy", "Configure"};

using Call = std::function<absl::Status(std::shared_ptr<SupervisedTask>)>;

std::vector<Call> CallsOf(Supervisor& supervisor) {
  return {[&](auto task) { return supervisor.Submit(std::move(task)).status(); },
          [&](auto task) { return supervisor.Register(std::move(task)).status(); }};
}

TEST(Semantics, S20_AVirtualThatThrowsIsBadInputThatSaysWhichAndWhat) {
  const auto supervisor = MakeSupervisor();
  for (const Call& call : CallsOf(*supervisor)) {
    for (const std::string where : kAsked) {
      for (const Thrown& thrown : AllThrown()) {
        Ends ends;
        const absl::Status status = call(std::make_shared<ThrowingTask>(ends, where, thrown.fail));
        EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
        EXPECT_THAT(std::string(status.message()),
                    AllOf(HasSubstr("task: " + where + "() threw "), HasSubstr(thrown.what)));
        ExpectDestroyedHere(ends);
      }
    }
  }
  EXPECT_THAT(supervisor->ListTasks(), IsEmpty());
  EXPECT_EQ(supervisor->task_count(), 0u);
}

// A name that does not fit into memory makes no bad task.
TEST(Semantics, S20_AVirtualWithoutMemoryIsNoMemory) {
  const auto supervisor = MakeSupervisor();
  for (const Call& call : CallsOf(*supervisor)) {
    for (const char* where : kAsked) {
      Ends ends;
      EXPECT_EQ(
          call(std::make_shared<ThrowingTask>(ends, where, [] { throw std::bad_alloc(); })).code(),
          absl::StatusCode::kResourceExhausted);
      ExpectDestroyedHere(ends);
    }
  }
}

TEST(ClassFormTest, WhatAVirtualThrowsLeavesMakeTaskSpecAndSpecs) {
  for (const char* where : kAsked) {
    Ends ends;
    const auto make = [&] {
      return std::make_shared<ThrowingTask>(ends, where, [] { throw std::out_of_range("oh"); });
    };
    EXPECT_THROW(MakeTaskSpec(make()), std::out_of_range);
    EXPECT_THROW(Specs(Spec("good", [] {}), make()), std::out_of_range);
    EXPECT_EQ(ends.size(), 2u);
  }
}

// --- Null

void ExpectNullRefused(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("task: the pointer is null"));
}

TEST(Semantics, S20_ANullTaskIsRefused) {
  const auto supervisor = MakeSupervisor();
  ExpectNullRefused(supervisor->Submit(nullptr).status());
  ExpectNullRefused(supervisor->Register(nullptr).status());
  ExpectNullRefused(supervisor->Submit(std::shared_ptr<OwnedTask>()).status());
  ExpectNullRefused(supervisor->Register(std::shared_ptr<OwnedTask>()).status());
  ExpectNullRefused(supervisor->Submit(MakeTaskSpec(nullptr)).status());
  ExpectNullRefused(supervisor->Register(MakeTaskSpec(nullptr)).status());
  const absl::Status many =
      supervisor->RegisterAll(Specs(Spec("good", [] {}), std::shared_ptr<OwnedTask>())).status();
  ExpectNullRefused(many);
  EXPECT_THAT(std::string(many.message()), HasSubstr("specs[1]"));
  EXPECT_THAT(supervisor->ListTasks(), IsEmpty());
}

// It says "task" as long as it is the missing task that makes it bad.
TEST(Semantics, S20_TheSpecOfANullTaskCanStillBeMadeGood) {
  const auto supervisor = MakeSupervisor();
  TaskSpec spec = MakeTaskSpec(nullptr);
  EXPECT_FALSE(spec.run);
  spec.name = "late";
  TaskSpec moved = std::move(spec);
  ExpectNullRefused(supervisor->Submit(std::move(moved)).status());
  TaskSpec filled = MakeTaskSpec(nullptr);
  filled.name = "late";
  filled.run = [] {};
  AwaitResult(Submit(*supervisor, std::move(filled)));
}

}  // namespace
}  // namespace foxtive::test
