// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S16 where the last owner of a Supervisor is one of its own tasks, and that task itself is a
// special case: abandoned meanwhile, registered, an exception that owns the Supervisor, or stopped
// by two threads.

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

// What the test and the task both need; owned by both.
struct Shared {
  std::unique_ptr<Supervisor> supervisor;
  TaskHandle other;
  Notification ready;
  Notification destroyed;
  bool other_was_over = false;

  // For the code of a task: the last owner lets go.
  void Destroy() {
    ready.Await("the last call of the test");
    supervisor.reset();
    other_was_over = other.TryResult().has_value();
    destroyed.Notify();
  }
};

// Returns when it is released, or some moments after its stop: it needs its time.
TaskSpec Slow(std::string name, const StuckWorker& worker) {
  return Spec(std::move(name), worker.Run());
}

// The one that is not waited for may be over before the others are: they are waited for still.
TEST(Semantics, S16_AnOwnerThatIsAbandonedMeanwhileStillWaitsForTheOthers) {
  for (int round = 0; round < 20; ++round) {
    auto shared = std::make_shared<Shared>();
    shared->supervisor = MakeSupervisor();
    StuckWorker worker;
    shared->other = Submit(*shared->supervisor, Slow("other", worker));
    worker.AwaitEntered();
    TaskSpec spec = Spec("owner", [shared] { shared->Destroy(); });
    spec.stop_timeout = absl::ZeroDuration();
    const TaskHandle owner = Submit(*shared->supervisor, std::move(spec));
    shared->ready.Notify();
    EXPECT_EQ(AwaitResult(owner).final_status, SupervisionStatus::kAbandoned);
    EXPECT_FALSE(shared->destroyed.HasHappened());
    worker.Release();
    shared->destroyed.Await("the destructor");
    EXPECT_TRUE(shared->other_was_over);
    EXPECT_EQ(AwaitResult(shared->other).final_status, SupervisionStatus::kManuallyStopped);
    AwaitState(owner, TaskState::kFinished);
  }
}

// The last owner may be a lane that has not let go yet.
void AwaitDestroyed(const Witness& witness) {
  const auto limit = std::chrono::steady_clock::now() + kSafetyLimit;
  while (!witness.IsDestroyed()) {
    if (std::chrono::steady_clock::now() > limit) DieWaitingFor("the end of what is left");
    std::this_thread::yield();
  }
}

// With a clock that stands still the deadline of the destructor is that of real time.
TEST(Semantics, S16_TheDeadlineIsRealTimeAlsoForAnOwnerThatIsAbandoned) {
  auto shared = std::make_shared<Shared>();
  shared->supervisor = MakeSupervisor(
      {.shutdown_timeout = absl::Milliseconds(50), .clock = std::make_shared<ManualClock>()});
  StuckWorker worker;
  shared->other = Submit(*shared->supervisor, Slow("other", worker));
  worker.AwaitEntered();
  TaskSpec spec = Spec("owner", [shared] { shared->Destroy(); });
  spec.stop_timeout = absl::ZeroDuration();
  const TaskHandle owner = Submit(*shared->supervisor, std::move(spec));
  shared->ready.Notify();
  shared->destroyed.Await("the destructor");
  EXPECT_EQ(AwaitResult(shared->other).final_status, SupervisionStatus::kAbandoned);
  worker.Release();
  AwaitState(owner, TaskState::kFinished);
  AwaitState(shared->other, TaskState::kFinished);
}

// An exception that owns the Supervisor of the task which threw it.
class OwningException : public std::exception {
 public:
  OwningException(std::shared_ptr<Shared> shared, std::shared_ptr<void> captured)
      : destroyer_(nullptr, [shared = std::move(shared)](std::nullptr_t) { shared->Destroy(); }),
        captured_(std::move(captured)) {}

 private:
  std::shared_ptr<void> destroyer_;
  std::shared_ptr<void> captured_;
};

// Nobody holds a handle: a lane drops what is left of the task.
TEST(Semantics, S16_AnExceptionMayBeTheLastOwner) {
  for (int round = 0; round < 20; ++round) {
    auto shared = std::make_shared<Shared>();
    shared->supervisor = MakeSupervisor();
    StuckWorker worker;
    shared->other = Submit(*shared->supervisor, Slow("other", worker));
    worker.AwaitEntered();
    TaskSpec spec = Spec("owner", [shared]() -> absl::Status {
      shared->ready.Await("the handle to be dropped");
      throw OwningException(shared, nullptr);
    });
    spec.restart_policy = RestartPolicy::Never();
    Submit(*shared->supervisor, std::move(spec));
    shared->ready.Notify();
    worker.Release();
    shared->destroyed.Await("the destructor");
    EXPECT_TRUE(shared->other_was_over);
  }
}

// The callback of OnFinished was told of the exception, and keeps it until the lane is through.
TEST(Semantics, S16_AnExceptionThatACallbackWasToldOfMayBeTheLastOwner) {
  auto shared = std::make_shared<Shared>();
  shared->supervisor = MakeSupervisor(
      {.max_concurrency = 1, .shutdown_timeout = absl::InfiniteDuration(), .listener = nullptr});
  TaskSpec spec = Spec("owner", [shared]() -> absl::Status {
    shared->ready.Await("the handle to be dropped");
    throw OwningException(shared, nullptr);
  });
  spec.restart_policy = RestartPolicy::Never();
  Shared& borrowed = *shared;
  ASSERT_TRUE(Submit(*shared->supervisor, std::move(spec))
                  .OnFinished([&borrowed](const SupervisionResult&) {
                    AwaitResult(Submit(*borrowed.supervisor, Spec("next", [] {})));
                  })
                  .ok());
  shared->ready.Notify();
  shared->destroyed.Await("the destructor");
}

// Nobody hands its result out; so it must not be kept.
TEST(Semantics, S16_WhatARegisteredOwnerLeavesBehindIsDestroyed) {
  auto shared = std::make_shared<Shared>();
  Witness exception;
  shared->supervisor = MakeSupervisor();
  {
    TaskSpec spec = Spec("owner", [shared, captured = exception.Take()]() mutable -> absl::Status {
      shared->Destroy();
      throw std::move(captured);
    });
    const TaskHandle owner = Register(*shared->supervisor, std::move(spec));
    ASSERT_TRUE(shared->supervisor->StartAll().ok());
    shared->ready.Notify();
    EXPECT_EQ(AwaitResult(owner).final_status, SupervisionStatus::kManuallyStopped);
    EXPECT_FALSE(exception.IsDestroyed());
    AwaitState(owner, TaskState::kFinished);
  }
  AwaitDestroyed(exception);
}

// `run` and `on_shutdown` of the owner are two threads; neither is waited for.
TEST(Semantics, S16_AnOwnerInOnShutdownDoesNotWaitForItsOwnRun) {
  auto shared = std::make_shared<Shared>();
  shared->supervisor = MakeSupervisor();
  StuckWorker worker;
  TaskSpec spec = Slow("owner", worker);
  spec.hooks.on_shutdown = [shared] { shared->Destroy(); };
  const TaskHandle owner = Submit(*shared->supervisor, std::move(spec));
  worker.AwaitEntered();
  EXPECT_TRUE(owner.RequestStop());
  shared->ready.Notify();
  shared->destroyed.Await("the destructor");
  EXPECT_FALSE(owner.TryResult().has_value());
  worker.Release();
  EXPECT_EQ(AwaitResult(owner).final_status, SupervisionStatus::kManuallyStopped);
}

// One that was abandoned long ago is code of the Supervisor's still.
TEST(Semantics, S16_AnOwnerThatWasAbandonedBeforeWaitsForTheOthers) {
  auto shared = std::make_shared<Shared>();
  shared->supervisor = MakeSupervisor();
  TaskSpec spec = Spec("owner", [shared] { shared->Destroy(); });
  spec.stop_timeout = absl::ZeroDuration();
  const TaskHandle owner = Submit(*shared->supervisor, std::move(spec));
  AwaitRunning(owner);
  EXPECT_TRUE(owner.RequestStop());
  EXPECT_EQ(AwaitResult(owner).final_status, SupervisionStatus::kAbandoned);
  StuckWorker worker;
  shared->other = Submit(*shared->supervisor, Slow("other", worker));
  worker.AwaitEntered();
  shared->ready.Notify();
  AwaitState(shared->other, TaskState::kStopping);
  EXPECT_FALSE(shared->destroyed.HasHappened());
  worker.Release();
  shared->destroyed.Await("the destructor");
  EXPECT_TRUE(shared->other_was_over);
  AwaitState(owner, TaskState::kFinished);
}

}  // namespace
}  // namespace foxtive::test
