// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S26: what a listener is told, in which order, and that nobody waits for it.

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/event_listener.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What is kept of an event.
struct Told {
  EventKind kind;
  std::string task;
  int64_t attempt;
  absl::StatusCode code;
  bool thrown;
  absl::Duration delay;
  std::string reason;
  SupervisionStatus final_status;
  absl::Duration uptime;
  absl::Time wall_time;
  int64_t folded;
  int64_t lost;
};

class Listener : public EventListener {
 public:
  explicit Listener(EventDetail detail = EventDetail::kEverything) : detail_(detail) {}

  void OnEvent(const Event& event) override {
    told.Add({event.kind, std::string(event.task_name), event.attempt, event.status.code(),
              event.exception != nullptr, event.delay, std::string(event.reason),
              event.final_status, event.uptime, event.wall_time, event.folded, event.lost});
    if (then) then(event);
  }
  EventDetail detail() const override { return detail_; }

  Recorder<Told> told;
  std::function<void(const Event&)> then;  // set before the first event

 private:
  const EventDetail detail_;
};

class EventsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Supervisor> Make(std::shared_ptr<Clock> clock = nullptr) {
    SupervisorOptions options;
    options.listener = listener_;
    options.clock = std::move(clock);
    return MakeSupervisor(std::move(options));
  }

  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
};

auto Is(EventKind kind, const std::string& task, int64_t attempt) {
  return AllOf(Field("kind", &Told::kind, kind), Field("task", &Told::task, task),
               Field("attempt", &Told::attempt, attempt));
}

TEST_F(EventsTest, S26_FailuresAndTheEndAreToldInOrder) {
  const auto clock = std::make_shared<ManualClock>();
  auto supervisor = Make(clock);
  TaskSpec spec = Spec("orders", [](TaskContext& context) -> absl::Status {
    if (context.attempt() == 2) throw std::runtime_error("torn");
    return absl::UnavailableError("down");
  });
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  spec.backoff = BackoffStrategy::Constant(absl::Seconds(3));
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  for (int64_t attempt : {1, 2}) {
    AwaitBackoff(handle, attempt);
    clock->Advance(absl::Seconds(3));
  }
  AwaitResult(handle);
  supervisor.reset();
  const std::vector<Told> told = listener_->told.Entries();
  ASSERT_THAT(told, ElementsAre(Is(EventKind::kAttemptFailed, "orders", 1),
                                Is(EventKind::kAttemptFailed, "orders", 2),
                                Is(EventKind::kAttemptFailed, "orders", 3),
                                Is(EventKind::kTaskOver, "orders", 3)));
  EXPECT_EQ(told[0].code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(told[0].delay, absl::Seconds(3));
  EXPECT_THAT(told[0].reason, HasSubstr("verdict row 8"));
  EXPECT_FALSE(told[0].thrown);
  EXPECT_TRUE(told[1].thrown);
  EXPECT_EQ(told[1].uptime, absl::Seconds(3));
  EXPECT_EQ(told[2].delay, absl::InfiniteDuration());
  EXPECT_THAT(told[2].reason, HasSubstr("verdict row 7"));
  EXPECT_EQ(told[3].final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(told[3].code, absl::StatusCode::kUnavailable);
  EXPECT_THAT(told[3].reason, HasSubstr("verdict row 7"));
  EXPECT_GT(told[3].wall_time, absl::FromUnixSeconds(1'600'000'000));
}

TEST_F(EventsTest, S26_ASuccessIsTold) {
  auto supervisor = Make();
  AwaitResult(Submit(*supervisor, Spec("task", [] {})));
  supervisor.reset();
  EXPECT_THAT(listener_->told.Entries(), ElementsAre(Is(EventKind::kTaskOver, "task", 1)));
}

TEST_F(EventsTest, S26_ASuccessAtFirstIsNotNotable) {
  listener_ = std::make_shared<Listener>(EventDetail::kNotable);
  auto supervisor = Make();
  AwaitResult(Submit(*supervisor, Spec("first", [] {})));
  AwaitResult(Submit(*supervisor, Spec("second", [](TaskContext& context) {
    return context.attempt() == 1 ? absl::UnavailableError("") : absl::OkStatus();
  })));
  supervisor.reset();
  EXPECT_THAT(listener_->told.Entries(), ElementsAre(Is(EventKind::kAttemptFailed, "second", 1),
                                                     Is(EventKind::kTaskOver, "second", 2)));
}

TEST_F(EventsTest, S26_AFailedSetupAndAHookThatThrowsAreTold) {
  auto supervisor = Make();
  TaskSpec spec = Spec("task", [] {});
  spec.hooks.setup = [] { return absl::NotFoundError("no file"); };
  spec.hooks.cleanup = [] { throw std::runtime_error("cleanup"); };
  AwaitResult(Submit(*supervisor, std::move(spec)));
  supervisor.reset();
  const std::vector<Told> told = listener_->told.Entries();
  ASSERT_THAT(
      told, ElementsAre(Is(EventKind::kSetupFailed, "task", 1),
                        Is(EventKind::kHookThrew, "task", 0), Is(EventKind::kTaskOver, "task", 0)));
  EXPECT_EQ(told[1].reason, "cleanup");
  EXPECT_TRUE(told[1].thrown);
}

TEST_F(EventsTest, S15_AnAbandonmentAndTheLateReturnAreTold) {
  auto supervisor = Make();
  StuckWorker worker;
  TaskSpec spec = Spec("stuck", worker.Run());
  spec.stop_timeout = absl::ZeroDuration();
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  worker.AwaitEntered();
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  worker.Release();
  const std::vector<Told> told = listener_->told.AwaitSize(2);
  EXPECT_THAT(told, ElementsAre(Is(EventKind::kTaskOver, "stuck", 1),
                                Is(EventKind::kLateReturn, "stuck", 0)));
  EXPECT_EQ(told[0].final_status, SupervisionStatus::kAbandoned);
}

TEST_F(EventsTest, S15_ALaneThatCanNotBeReplacedIsTold) {
  SupervisorOptions options;
  options.listener = listener_;
  options.max_concurrency = 1;
  auto supervisor = MakeSupervisor(std::move(options));
  StuckWorker workers;
  for (const char* name : {"first", "second"}) {
    TaskSpec spec = Spec(name, workers.Run());
    spec.stop_timeout = absl::ZeroDuration();
    const TaskHandle handle = Submit(*supervisor, std::move(spec));
    AwaitRunning(handle);
    EXPECT_TRUE(handle.RequestStop());
    AwaitResult(handle);
  }
  const Told told = listener_->told.AwaitEntry("kCapacityLimited", [](const Told& entry) {
    return entry.kind == EventKind::kCapacityLimited;
  });
  EXPECT_EQ(told.task, "second");
  EXPECT_THAT(told.reason, HasSubstr("can't be replaced"));
  workers.Release();
}

TEST_F(EventsTest, S26_OneAtATimeAndInTheOrderOfEachTask) {
  OverlapDetector detector;
  listener_->then = [&](const Event&) { detector.Pass(); };
  auto supervisor = Make();
  for (int i = 0; i < 8; ++i) {
    TaskSpec spec = Spec(absl::StrCat("task-", i), [] { return absl::UnavailableError("down"); });
    spec.restart_policy = RestartPolicy::MaxAttempts(50);
    Register(*supervisor, std::move(spec));
  }
  ASSERT_TRUE(supervisor->StartAll().ok());
  ASSERT_TRUE(supervisor->WaitAll().ok());
  supervisor.reset();
  EXPECT_FALSE(detector.overlapped());
  const std::vector<Told> told = listener_->told.Entries();
  EXPECT_THAT(told, SizeIs(8 * 51));
  std::vector<int64_t> next(8, 1);
  for (const Told& event : told) {
    int64_t& expected = next[static_cast<size_t>(event.task.back() - '0')];
    EXPECT_EQ(event.attempt, event.kind == EventKind::kTaskOver ? 50 : expected++);
    EXPECT_EQ(event.lost, 0);
  }
}

// --- A listener that blocks.

class BlockedListenerTest : public EventsTest {
 protected:
  BlockedListenerTest() {
    listener_->then = [gate = gate_](const Event&) {
      gate->entered.Notify();
      gate->go_on.Await("the test to let the listener go on");
    };
  }
  ~BlockedListenerTest() override { gate_->go_on.Notify(); }

  // Returns when the listener is inside, and nothing else is to be told.
  void Block(Supervisor& supervisor) {
    AwaitResult(Submit(supervisor, Spec("first", [] {})));
    gate_->entered.Await("the listener");
  }

  struct Gate {
    Notification entered;
    Notification go_on;
  };
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

TEST_F(BlockedListenerTest, S26_1024EventsWaitAndTheRestIsCounted) {
  auto supervisor = Make();
  Block(*supervisor);
  TaskSpec spec = Spec("loop", [] { return absl::UnavailableError("down"); });
  spec.restart_policy = RestartPolicy::MaxAttempts(2000);
  AwaitResult(Submit(*supervisor, std::move(spec)));
  gate_->go_on.Notify();
  listener_->told.AwaitSize(1 + 1024);
  AwaitResult(Submit(*supervisor, Spec("next", [] {})));
  supervisor.reset();
  const std::vector<Told> told = listener_->told.Entries();
  ASSERT_THAT(told, SizeIs(1 + 1024 + 1));
  for (int64_t attempt = 1; attempt <= 1024; ++attempt) {
    EXPECT_EQ(told[static_cast<size_t>(attempt)].attempt, attempt);
    EXPECT_EQ(told[static_cast<size_t>(attempt)].lost, 0);
  }
  EXPECT_EQ(told.back().task, "next");
  EXPECT_EQ(told.back().lost, 2000 + 1 - 1024) << "failures and the end of the loop";
}

TEST_F(BlockedListenerTest, S26_NobodyWaitsForIt) {
  auto supervisor = Make();
  Block(*supervisor);
  for (int i = 0; i < 40; ++i) {
    const TaskHandle handle =
        Submit(*supervisor, Spec(absl::StrCat("task-", i),
                                 [](TaskContext& c) { c.SleepFor(absl::InfiniteDuration()); }));
    EXPECT_TRUE(handle.RequestStop());
    AwaitResult(handle);
  }
  EXPECT_TRUE(supervisor->Shutdown(absl::InfiniteDuration()).ok());
  EXPECT_THAT(listener_->told.Entries(), SizeIs(1));
  gate_->go_on.Notify();
}

TEST_F(BlockedListenerTest, S26_TheDestructorWaitsNoLongerThanItsDeadline) {
  SupervisorOptions options;
  options.listener = listener_;
  options.shutdown_timeout = absl::ZeroDuration();
  auto supervisor = MakeSupervisor(std::move(options));
  Block(*supervisor);
  AwaitResult(Submit(*supervisor, Spec("second", [] {})));
  supervisor.reset();  // returns
  gate_->go_on.Notify();
  EXPECT_THAT(listener_->told.Entries(), SizeIs(1)) << "what was not told in time never is";
}

TEST_F(EventsTest, S26_TheDestructorDeliversWhatIsThere) {
  Notification go_on;
  listener_->then = [&](const Event&) { go_on.Await("the destructor to begin"); };
  auto supervisor = Make();
  std::vector<TaskHandle> handles;
  for (int i = 0; i < 100; ++i) {
    AwaitResult(Submit(*supervisor, Spec(absl::StrCat("task-", i), [] {})));
  }
  // Stopped by the destructor, so that the listener goes on no sooner.
  TaskSpec last = Spec("last", [](TaskContext& c) { c.SleepFor(absl::InfiniteDuration()); });
  last.hooks.on_shutdown = [&] { go_on.Notify(); };
  const TaskHandle handle = Submit(*supervisor, std::move(last));
  AwaitRunning(handle);
  supervisor.reset();
  EXPECT_THAT(listener_->told.Entries(), SizeIs(101));
}

TEST_F(EventsTest, S26_NothingIsToldAfterTheDestructor) {
  StuckWorker worker;
  SupervisorOptions options;
  options.listener = listener_;
  options.shutdown_timeout = absl::ZeroDuration();
  auto supervisor = MakeSupervisor(std::move(options));
  const TaskHandle handle = Submit(*supervisor, Spec("stuck", worker.Run()));
  worker.AwaitEntered();
  supervisor.reset();
  const std::vector<Told> told = listener_->told.Entries();
  ASSERT_THAT(told, ElementsAre(Is(EventKind::kTaskOver, "stuck", 1)));
  EXPECT_EQ(listener_.use_count(), 1) << "the Supervisor keeps no listener";
  worker.Release();
  AwaitState(handle, TaskState::kFinished);
  EXPECT_THAT(listener_->told.Entries(), SizeIs(1));
}

// --- What a listener may do.

TEST_F(EventsTest, S26_WhatItThrowsIsDropped) {
  listener_->then = [](const Event&) { throw std::runtime_error("from the listener"); };
  auto supervisor = Make();
  for (int i = 0; i < 3; ++i) AwaitResult(Submit(*supervisor, Spec("task", [] {})));
  supervisor.reset();
  EXPECT_THAT(listener_->told.Entries(), SizeIs(3));
}

TEST_F(EventsTest, S17_CallsThatWouldWaitAreRefusedAndOthersWork) {
  auto supervisor = Make();
  EventLog refused;
  Recorder<TaskHandle> submitted;
  listener_->then = [&](const Event& event) {
    if (event.task_name != "task") return;
    for (const absl::Status& status :
         {supervisor->Shutdown(), supervisor->WaitAny().status(), supervisor->WaitAll().status()}) {
      if (status.code() == absl::StatusCode::kFailedPrecondition) {
        refused.Add(std::string(status.message()));
      }
    }
    submitted.Add(supervisor->Submit(Spec("from the listener", [] {})).value());
  };
  AwaitResult(Submit(*supervisor, Spec("task", [] {})));
  EXPECT_THAT(refused.AwaitSize(3), ::testing::Each(HasSubstr("a listener")));
  AwaitResult(submitted.AwaitSize(1).front());
}

TEST_F(EventsTest, S16_ItMayDestroyTheLastOwner) {
  auto owner = std::make_shared<std::unique_ptr<Supervisor>>();
  Notification destroyed;
  listener_->then = [&, owner](const Event&) {
    owner->reset();
    destroyed.Notify();
  };
  *owner = Make();
  const TaskHandle other = Submit(**owner, Spec("other", [](TaskContext& context) {
    context.SleepFor(absl::InfiniteDuration());
  }));
  AwaitRunning(other);
  Submit(**owner, Spec("task", [] {}));
  destroyed.Await("the end of the Supervisor");
  EXPECT_EQ(AwaitResult(other).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_THAT(listener_->told.Entries(), SizeIs(1));
}

TEST(Semantics, S26_AListenerThatThrowsWhenItIsAskedIsRefused) {
  class Throwing : public EventListener {
   public:
    EventDetail detail() const override { throw std::runtime_error("no idea"); }
  };
  SupervisorOptions options;
  options.listener = std::make_shared<Throwing>();
  const absl::Status status = Supervisor::Create(std::move(options)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("listener"), HasSubstr("no idea")));
}

TEST(Semantics, S26_AListenerNeedsNoFunctionOfItsOwn) {
  SupervisorOptions options;
  options.listener = std::make_shared<EventListener>();
  auto supervisor = MakeSupervisor(std::move(options));
  AwaitResult(Submit(*supervisor, Spec("task", [] {})));
}

// --- A crash loop, folded on the Supervisor's clock.

TEST_F(EventsTest, S26_ACrashLoopIsFoldedWithExactCounts) {
  listener_ = std::make_shared<Listener>(EventDetail::kNotable);
  const auto clock = std::make_shared<ManualClock>();
  auto supervisor = Make(clock);
  TaskSpec spec = Spec("task", [](TaskContext& context) {
    return context.attempt() < 30 ? absl::UnavailableError("down") : absl::NotFoundError("gone");
  });
  spec.backoff = BackoffStrategy::Constant(absl::Seconds(1));
  spec.restart_policy = RestartPolicy::MaxAttempts(30);
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  for (int64_t attempt = 1; attempt < 30; ++attempt) {
    AwaitBackoff(handle, attempt);
    clock->Advance(absl::Seconds(1));
  }
  AwaitResult(handle);
  supervisor.reset();
  // Attempt n is at second n - 1: told are 1 to 4, then what comes 10 s after the last one.
  std::vector<std::pair<int64_t, int64_t>> attempts;
  for (const Told& event : listener_->told.Entries()) {
    if (event.kind == EventKind::kAttemptFailed) attempts.emplace_back(event.attempt, event.folded);
  }
  EXPECT_THAT(attempts,
              ElementsAre(std::pair(1, 0), std::pair(2, 0), std::pair(3, 0), std::pair(4, 0),
                          std::pair(14, 9), std::pair(24, 9), std::pair(30, 5)));
}

TEST_F(EventsTest, S26_WhatWasFoldedIsToldWithTheEnd) {
  listener_ = std::make_shared<Listener>(EventDetail::kNotable);
  auto supervisor = Make(std::make_shared<ManualClock>());
  TaskSpec spec = Spec("task", [](TaskContext& context) {
    return context.attempt() < 20 ? absl::UnavailableError("down") : absl::OkStatus();
  });
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  AwaitResult(Submit(*supervisor, std::move(spec)));
  supervisor.reset();
  const std::vector<Told> told = listener_->told.Entries();
  ASSERT_THAT(told, SizeIs(5));
  EXPECT_EQ(told.back().kind, EventKind::kTaskOver);
  EXPECT_EQ(told.back().folded, 19 - 4);
}

}  // namespace
}  // namespace foxtive::test
