// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskContext::OnStop: what a worker leaves to be called when it is asked to stop.

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "foxtive/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A worker that only its callback can end.
TEST(OnStopTest, IsCalledOnceOnAnotherThread) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Notification entered;
  Recorder<std::thread::id> callers;
  std::thread::id worker;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    Notification unblocked;
    worker = std::this_thread::get_id();
    const auto on_stop = context.OnStop([&] {
      callers.Add(std::this_thread::get_id());
      unblocked.Notify();
    });
    entered.Notify();
    unblocked.Await("the callback");
  }));
  entered.Await("the worker to be entered");
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  ASSERT_EQ(callers.size(), 1u);
  EXPECT_NE(callers.Entries().front(), worker);
  EXPECT_NE(callers.Entries().front(), std::this_thread::get_id());
}

TEST(OnStopTest, AfterTheStopItIsCalledAtOnceAndHere) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  EventLog log;
  Notification entered;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    entered.Notify();
    context.SleepFor(absl::InfiniteDuration());
    const std::thread::id here = std::this_thread::get_id();
    const auto on_stop =
        context.OnStop([&] { log.Add(std::this_thread::get_id() == here ? "here" : ""); });
    log.Add("made");
  }));
  entered.Await("the worker to be entered");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  EXPECT_THAT(log.Entries(), ElementsAre("here", "made"));
}

// The task's token fires a moment after the stop, on another thread, which has not had its turn.
TEST(OnStopTest, AfterTheStopItIsCalledAtOnceThoughTheTokenHasNotFired) {
  testing::SimulatedTime time;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor({.clock = time.clock()});
  EventLog log;
  const TaskHandle task = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    const std::stop_token token = context.stop_token();
    context.SleepFor(absl::InfiniteDuration());
    EXPECT_FALSE(token.stop_requested());
    {
      const auto on_stop = context.OnStop([&] { log.Add("called"); });
      log.Add("made");
    }
  }));
  time.AdvanceBy(absl::Seconds(1));
  EXPECT_TRUE(task.RequestStop());
  time.AdvanceBy(absl::Seconds(1));
  EXPECT_THAT(log.Entries(), ElementsAre("called", "made"));
}

TEST(OnStopTest, WhatIsDestroyedIsNotCalled) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  EventLog log;
  Notification destroyed;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    {
      const auto on_stop = context.OnStop([&] { log.Add("stop"); });
    }
    destroyed.Notify();
    context.SleepFor(absl::InfiniteDuration());
  }));
  destroyed.Await("the callback to be destroyed");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  EXPECT_THAT(log.Entries(), IsEmpty());
}

TEST(OnStopTest, WhatIsThrownIsAFailedHook) {
  class Listener : public EventListener {
   public:
    void OnEvent(const Event& event) override {
      if (event.kind == EventKind::kHookThrew) log.Add(ToString(event));
    }
    EventLog log;
  };
  const auto listener = std::make_shared<Listener>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor({.listener = listener});
  Notification entered;
  Notification called;
  TaskSpec spec = Spec("task", [&](TaskContext& context) {
    const auto on_stop = context.OnStop([&] {
      called.Notify();
      throw std::runtime_error("socket is gone");
    });
    entered.Notify();
    called.Await("the callback");
  });
  EventLog log;
  spec.hooks.on_shutdown = [&] { log.Add("on_shutdown"); };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  entered.Await("the worker to be entered");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  EXPECT_EQ(handle.info().hook_failures, 1);
  EXPECT_THAT(log.Entries(), ElementsAre("on_shutdown"));
  EXPECT_THAT(listener->log.AwaitSize(1).front(), HasSubstr("hook OnStop threw"));
}

// So what the callback refers to may lie on the worker's stack.
TEST(OnStopTest, TheDestructorWaitsForACallThatIsUnderWay) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  EventLog log;
  Notification registered;
  Notification called;
  Notification goes_on;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    {
      const auto on_stop = context.OnStop([&] {
        called.Notify();
        goes_on.Await("to be let go");
        log.Add("callback over");
      });
      registered.Notify();
      called.Await("the callback");
      goes_on.Notify();
    }
    log.Add("destroyed");
  }));
  registered.Await("the callback to be registered");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  EXPECT_THAT(log.Entries(), ElementsAre("callback over", "destroyed"));
}

TEST(OnStopTest, ACallMayDestroyItself) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Notification registered;
  Notification called;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    std::shared_ptr<void> held;
    const auto destroy = [&] {
      Notification& after = called;  // what it captured goes with it
      held.reset();
      after.Notify();
    };
    using Callback = StopCallback<std::decay_t<decltype(destroy)>>;
    held.reset(new Callback(context.OnStop(destroy)));
    registered.Notify();
    called.Await("the callback");
  }));
  registered.Await("the callback to be registered");
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
}

TEST(OnStopTest, MayMoveWhatItCalls) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Recorder<int> numbers;
  Notification registered;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    const auto on_stop = context.OnStop([&numbers, number = std::make_unique<int>(7)]() mutable {
      numbers.Add(*std::exchange(number, nullptr));
    });
    registered.Notify();
    numbers.AwaitSize(1);
  }));
  registered.Await("the callback to be registered");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  EXPECT_THAT(numbers.Entries(), ElementsAre(7));
}

}  // namespace
}  // namespace foxtive::test
