// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Attempts that hang, on real threads: what stuck_test.cc can't have, a process that is suspended
// and stop callbacks beside the attempts that they belong to.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Listener : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind == EventKind::kStuck) stuck.Add(ToString(event));
  }
  EventLog stuck;
};

struct Watched {
  explicit Watched(absl::Duration heartbeat_timeout) {
    SupervisorOptions options = OptionsWith(clock);
    options.listener = listener;
    supervisor = MakeSupervisor(std::move(options));
    TaskSpec spec =
        Spec("task", [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
    spec.heartbeat_timeout = heartbeat_timeout;
    began = clock->Now();
    handle = Submit(*supervisor, std::move(spec));
    clock->AwaitDeadline(began + heartbeat_timeout);
  }

  const std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
  const std::shared_ptr<Listener> listener = std::make_shared<Listener>();
  std::unique_ptr<Supervisor> supervisor;
  absl::Duration began;
  TaskHandle handle;
};

TEST(StuckThreadsTest, AMonitorThatWakesMoreThanASecondLateHasBeenSuspended) {
  Watched watched(absl::Seconds(5));
  watched.clock->Advance(absl::Seconds(6) + absl::Microseconds(1));  // what the monitor counts in
  const absl::Duration resumed = watched.clock->Now();
  // It counts anew, and nothing is told.
  watched.clock->AwaitDeadline(resumed + absl::Seconds(5));
  Settle(*watched.supervisor);
  EXPECT_THAT(watched.listener->stuck.Entries(), IsEmpty());
  // But that was one heartbeat, and not a pardon.
  watched.clock->Advance(absl::Seconds(5));
  EXPECT_THAT(watched.listener->stuck.AwaitSize(1).front(), HasSubstr("no heartbeat for 5s"));
}

TEST(StuckThreadsTest, OneThatWakesASecondLateHasNot) {
  Watched watched(absl::Seconds(5));
  watched.clock->Advance(absl::Seconds(6));
  EXPECT_THAT(watched.listener->stuck.AwaitSize(1).front(), HasSubstr("no heartbeat for 5s"));
}

// A callback that the worker has left behind, and that hangs: the next attempts go on without it,
// and the task is wound down when it has returned.
TEST(StuckThreadsTest, AStopCallbackMayOutlastItsAttempt) {
  const auto clock = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OptionsWith(clock));
  struct Left {
    std::optional<std::stop_callback<std::function<void()>>> callback;
  };
  Left left;
  Notification left_there;
  Notification called;
  Notification goes_on;
  Notification second;
  EventLog log;
  TaskSpec spec = Spec("task", [&](TaskContext& context) -> absl::Status {
    if (context.attempt() == 1) {
      left.callback.emplace(context.stop_token(), [&] {
        called.Notify();
        goes_on.Await("to be let go");
        log.Add("callback over");
      });
      left_there.Notify();
      context.SleepFor(absl::InfiniteDuration());
      called.Await("the callback");
    } else {
      second.Notify();
    }
    return absl::OkStatus();
  });
  spec.heartbeat_timeout = absl::Seconds(5);
  spec.on_stuck = OnStuck::kRestart;
  spec.hooks.cleanup = [&] { log.Add("cleanup"); };
  const absl::Duration began = clock->Now();
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  // A stop that came before would call it on the lane.
  left_there.Await("the callback to be left");
  clock->AwaitDeadline(began + absl::Seconds(5));
  clock->Advance(absl::Seconds(5));
  second.Await("the second attempt");
  AwaitState(handle, TaskState::kStopping);
  EXPECT_THAT(log.Entries(), IsEmpty());
  goes_on.Notify();
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_THAT(log.Entries(), ::testing::ElementsAre("callback over", "cleanup"));
}

}  // namespace
}  // namespace foxtive::test
