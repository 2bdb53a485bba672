// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S22: children of fork(), in which the library was, or was not, in use before. What a worker does
// in a child is in fork_in_task_test.cc.
//
// A process uses oneTBB and the library for the first time only once: what needs that is a child
// process by RunInChild, which forks.

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/signals.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/forked_child.h"
#include "tests/support/host.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

// The address sanitizer does not put its allocator in order for a child, which may find it locked.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FOXTIVE_FORKED_CHILD_MUST_NOT_ALLOCATE
#endif
#endif

#if defined(__SANITIZE_THREAD__)
// Its run-time waits a second at the exit of each child.
constexpr int kForks = 5;
#else
constexpr int kForks = 200;
#endif

TaskSpec Patient(std::string name) {
  return Spec(std::move(name),
              [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
}

// Allocates nothing, so that forks are safe under every sanitizer, and shares no status with
// others.
TaskSpec CrashLoop(std::string name) {
  return Spec(std::move(name), [] { return absl::Status(absl::StatusCode::kUnavailable, ""); });
}

bool Refused(const absl::Status& status) {
  return status.code() == absl::StatusCode::kFailedPrecondition &&
         absl::StrContains(status.message(), "fork");
}

template <typename T>
bool Refused(const absl::StatusOr<T>& answer) {
  return Refused(answer.status());
}

// --- Every public call.

void TryNewSupervisors(Findings& findings) {
  findings.Expect(Refused(Supervisor::Create({})), "Create");
  findings.Expect(Refused(Supervisor::Create({.max_concurrency = 0})), "Create, bad options");
  Supervisor by_default;
  findings.Expect(Refused(by_default.Submit(Patient("new"))), "Submit, of a new Supervisor");
  findings.Expect(Refused(by_default.Shutdown()), "Shutdown, of a new Supervisor");
  findings.Expect(by_default.ListTasks().empty(), "ListTasks, of a new Supervisor");
  findings.Expect(by_default.task_count() == 0, "task_count, of a new Supervisor");
  by_default.RequestShutdown();
}

void TryCalls(Supervisor& supervisor, Findings& findings) {
  findings.Expect(Refused(supervisor.Submit(Patient("new"))), "Submit");
  findings.Expect(Refused(supervisor.Submit({.name = ""})), "Submit, a bad spec");
  findings.Expect(Refused(supervisor.Register(Patient("new"))), "Register");
  findings.Expect(Refused(supervisor.Submit("new", [] {})), "Submit, name and run");
  findings.Expect(Refused(supervisor.Submit(std::shared_ptr<SupervisedTask>())), "Submit, null");
  findings.Expect(Refused(supervisor.Register(std::shared_ptr<SupervisedTask>())),
                  "Register, null");
  findings.Expect(Refused(supervisor.RegisterAll({})), "RegisterAll");
  findings.Expect(Refused(Supervisor::Default()), "Default");
  findings.Expect(Refused(SpawnSupervised(Patient("new"))), "SpawnSupervised");
  findings.Expect(Refused(SpawnSupervised(std::shared_ptr<SupervisedTask>())),
                  "SpawnSupervised, null");
  findings.Expect(Refused(SpawnSupervisedMany({})), "SpawnSupervisedMany");
  findings.Expect(Refused(ShutdownOnSignal(supervisor, {SIGUSR1})), "ShutdownOnSignal");
  findings.Expect(Refused(supervisor.StartAll()), "StartAll");
  findings.Expect(Refused(supervisor.WaitAny()), "WaitAny");
  findings.Expect(Refused(supervisor.WaitAny(absl::ZeroDuration())), "WaitAny, 0");
  findings.Expect(Refused(supervisor.WaitAll()), "WaitAll");
  findings.Expect(Refused(supervisor.Find("task-0")), "Find");
  findings.Expect(supervisor.ListTasks().empty(), "ListTasks");
  findings.Expect(supervisor.task_count() == 0, "task_count");
  supervisor.RequestShutdown();
  findings.Expect(Refused(supervisor.Shutdown(absl::ZeroDuration())), "Shutdown, 0");
  findings.Expect(Refused(supervisor.Shutdown()), "Shutdown");
}

void TryCalls(const TaskHandle& handle, Findings& findings) {
  findings.Expect(handle.state() == TaskState::kFinished, "state");
  findings.Expect(handle.attempts() == 0, "attempts");
  const TaskInfo info = handle.info();
  findings.Expect(info.name.empty() && info.attempts == 0 && info.last_error.ok(), "info");
  findings.Expect(!handle.future().valid(), "future");
  findings.Expect(!handle.TryResult().has_value(), "TryResult");
  findings.Expect(Refused(handle.Wait()), "Wait");
  findings.Expect(!handle.RequestStop(), "RequestStop");
  findings.Expect(Refused(handle.OnFinished([](const SupervisionResult&) {})), "OnFinished");
  // What touches no lock stays.
  findings.Expect(handle.valid(), "valid");
  findings.Expect(!handle.name().empty(), "name");
  TaskHandle copy = handle;
  findings.Expect(copy == handle, "==");
  copy = TaskHandle();
  findings.Expect(!copy.valid() && Refused(copy.Wait()), "a handle made by default");
}

bool TryEverything(std::unique_ptr<Supervisor> supervisor, std::vector<TaskHandle> handles) {
  Findings findings;
  TryCalls(*supervisor, findings);
  for (const TaskHandle& handle : handles) TryCalls(handle, findings);
  TryNewSupervisors(findings);
  handles.clear();
  supervisor.reset();
  return findings.none();
}

// A Supervisor in use, and that it still is.
struct Busy {
  Busy() {
    handles.push_back(Submit(*supervisor, Patient("patient")));
    handles.push_back(Submit(*supervisor, CrashLoop("crash-loop")));
    handles.push_back(Submit(*supervisor, Spec("over", [] {})));
    handles.push_back(Register(*supervisor, Patient("registered")));
    AwaitRunning(handles[0]);
    AwaitResult(handles[2]);
  }

  void ExpectUnharmed() {
    const int64_t attempts = handles[1].attempts();
    const auto limit = std::chrono::steady_clock::now() + kSafetyLimit;
    while (handles[1].attempts() < attempts + 10) {
      if (std::chrono::steady_clock::now() > limit) DieWaitingFor("ten restarts after the fork");
      std::this_thread::yield();
    }
    EXPECT_TRUE(Submit(*supervisor, Spec("after", [] {})).Wait().ok());
    EXPECT_TRUE(supervisor->Shutdown().ok());
    for (const TaskHandle& handle : handles) EXPECT_TRUE(handle.Wait().ok());
  }

  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  std::vector<TaskHandle> handles;
};

TEST(Semantics, S22_EveryCallInAChildIsRefusedAndTheParentGoesOn) {
  Busy busy;
  EXPECT_THAT(RunForked([&] { return TryEverything(std::move(busy.supervisor), busy.handles); }),
              ForkedChildPassed());
  busy.ExpectUnharmed();
}

TEST(Semantics, S22_ChildrenOfChildrenAreRefusedToo) {
  Busy busy;
  EXPECT_THAT(RunForked([&] {
                pid_t grandchild = fork();
                if (grandchild == 0) {
                  exit(TryEverything(std::move(busy.supervisor), busy.handles) ? 0 : 1);
                }
                int status = -1;
                return waitpid(grandchild, &status, 0) == grandchild && status == 0;
              }),
              ForkedChildPassed());
  busy.ExpectUnharmed();
}

TEST(Semantics, S22_AFutureStaysAsItWasAtTheFork) {
  Busy busy;
  const auto pending = busy.handles[0].future();
  const auto ready = busy.handles[2].future();
  EXPECT_THAT(RunForked([&] {
                Findings findings;
                const auto now = std::chrono::seconds(0);
                busy.supervisor.reset();
                findings.Expect(pending.wait_for(now) == std::future_status::timeout, "pending");
                findings.Expect(ready.wait_for(now) == std::future_status::ready, "ready");
                findings.Expect(ready.get().task_name == "over", "the result");
                return findings.none();
              }),
              ForkedChildPassed());
  busy.ExpectUnharmed();
}

// Whatever can be locked is locked in some of them.
TEST(Semantics, S22_ForksAmongRestartsAndCallsOfOtherThreads) {
#if defined(FOXTIVE_FORKED_CHILD_MUST_NOT_ALLOCATE)
  GTEST_SKIP() << "other threads allocate here";
#endif
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  std::vector<TaskHandle> handles;
  for (int i = 0; i < 8; ++i) {
    handles.push_back(Submit(*supervisor, CrashLoop(absl::StrCat("task-", i))));
  }
  std::atomic<bool> done{false};
  const auto call = [&](int caller) {
    while (!done) {
      for (const TaskHandle& handle : handles) handle.info();
      const TaskHandle own = Submit(*supervisor, Patient(absl::StrCat("of-caller-", caller)));
      EXPECT_GE(supervisor->ListTasks().size(), 8u);
      own.RequestStop();
      EXPECT_TRUE(own.Wait().ok());
    }
  };
  std::jthread first_caller(call, 1);
  std::jthread second_caller(call, 2);
  for (int i = 0; i < kForks; ++i) {
    const ChildResult child =
        RunForked([&] { return TryEverything(std::move(supervisor), std::move(handles)); });
    EXPECT_THAT(child, ForkedChildPassed()) << "fork " << i;
    if (HasFailure()) break;
  }
  done = true;
  first_caller.join();
  second_caller.join();
  EXPECT_TRUE(supervisor->Shutdown().ok());
}

// --- At the exit.

// Wakes whoever it should, but one thread comes back late from it.
class SlowWaker final : public Clock {
 public:
  bool Park(Parker& parker, int64_t deadline_nanos) noexcept override {
    if (std::this_thread::get_id() == waiter) parked.CountDown();
    return Clock::Park(parker, deadline_nanos);
  }
  void Unpark(Parker& parker) noexcept override {
    Clock::Unpark(parker);
    if (std::this_thread::get_id() == waker.load()) may_return.Await("the child to end");
  }

  const std::thread::id waiter = std::this_thread::get_id();
  std::atomic<std::thread::id> waker{};
  Latch parked{1};
  Notification may_return;
};

TEST(Semantics, S22_ChildOfAThreadThatIsJustBeingWokenExits) {
  auto clock = std::make_shared<SlowWaker>();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OptionsWith(clock));
  const TaskHandle handle = Submit(*supervisor, Spec("task", [clock = clock.get()] {
    clock->parked.Await("the test to wait");
    clock->waker = std::this_thread::get_id();
  }));
  EXPECT_TRUE(handle.Wait().ok());
  EXPECT_THAT(RunForked([] { return true; }), ForkedChildPassed());
  clock->waker = std::thread::id();
  clock->may_return.Notify();
}

std::unique_ptr<Supervisor> g_supervisor;
std::optional<TaskHandle> g_handle;

TEST(ForkProcess, DISABLED_StaticOwner) {
  g_supervisor = MakeSupervisor();
  g_handle = Submit(*g_supervisor, Patient("static"));
  AwaitRunning(*g_handle);
  EXPECT_THAT(RunForked([] { return true; }), ForkedChildPassed());
  EXPECT_EQ(g_supervisor->task_count(), 1u);
}

TEST(ForkProcess, S22_StaticObjectsAreNoObstacleToExit) {
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_StaticOwner"), ChildPassed());
}

// --- What counts as use.

TEST(ForkProcess, DISABLED_SupervisorThatIsGone) {
  MakeSupervisor().reset();
  EXPECT_THAT(RunForked([] {
                Findings findings;
                TryNewSupervisors(findings);
                return findings.none();
              }),
              ForkedChildPassed());
  MakeSupervisor();
}

TEST(ForkProcess, S22_ASupervisorThatIsGoneCounts) {
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_SupervisorThatIsGone"), ChildPassed());
}

TEST(ForkProcess, DISABLED_SupervisorThatCouldNotStart) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_getattr_default_np(&attributes), 0);
  size_t stack = 0;
  ASSERT_EQ(pthread_attr_getstacksize(&attributes, &stack), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, size_t{1} << 46), 0);
  ASSERT_EQ(pthread_setattr_default_np(&attributes), 0);
  EXPECT_EQ(Supervisor::Create({}).status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, stack), 0);
  ASSERT_EQ(pthread_setattr_default_np(&attributes), 0);
  EXPECT_THAT(RunForked([] { return Refused(Supervisor::Create({})); }), ForkedChildPassed());
  MakeSupervisor();
}

TEST(ForkProcess, S22_ASupervisorThatCouldNotStartCounts) {
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_SupervisorThatCouldNotStart"), ChildPassed());
}

// --- Before the first Supervisor.

// A Supervisor works here.
bool Works() {
  Findings findings;
  absl::StatusOr<std::unique_ptr<Supervisor>> supervisor = Supervisor::Create({});
  findings.Expect(supervisor.ok(), "Create");
  if (!supervisor.ok()) return false;
  TaskSpec spec = CrashLoop("task");
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  const TaskHandle handle = Submit(**supervisor, std::move(spec));
  findings.Expect(AwaitResult(handle).total_attempts == 3, "three attempts");
  findings.Expect((*supervisor)->Shutdown().ok(), "Shutdown");
  return findings.none();
}

TEST(ForkProcess, DISABLED_NothingBefore) {
  for (int i = 0; i < 2; ++i) EXPECT_THAT(RunForked(Works), ForkedChildPassed());
  EXPECT_TRUE(Works());
  EXPECT_THAT(RunForked([] { return Refused(Supervisor::Create({})); }), ForkedChildPassed());
}

TEST(ForkProcess, S22_AChildOfAProcessThatHasUsedNothingMayUseTheLibrary) {
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_NothingBefore"), ChildPassed());
}

TEST(ForkProcess, DISABLED_Daemon) {
  const pid_t first = getpid();
  ASSERT_EQ(daemon(/*nochdir=*/1, /*noclose=*/1), 0);
  EXPECT_NE(getpid(), first);
  EXPECT_TRUE(Works());
  EXPECT_THAT(RunForked([] { return Refused(Supervisor::Create({})); }), ForkedChildPassed());
}

TEST(ForkProcess, S22_ADaemonMayUseTheLibrary) {
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_Daemon"), ChildPassed());
}

TEST(ForkProcess, DISABLED_OtherThreads) {
  std::promise<void> end;
  // A thread that is just beginning may have the locks of a sanitizer.
  std::atomic<bool> waits = false;
  std::jthread thread([may_end = end.get_future(), &waits] {
    waits = true;
    may_end.wait();
  });
  while (!waits) std::this_thread::yield();
  EXPECT_THAT(RunForked(Works), ForkedChildPassed());
  end.set_value();
}

TEST(ForkProcess, S22_ThreadsOfTheHostDoNotMatter) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "it ends a child of a process with threads that creates one";
#endif
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_OtherThreads"), ChildPassed());
}

// --- oneTBB before the fork.

bool RefusedBecauseOfOneTbb() {
  const absl::Status status = Supervisor::Create({}).status();
  Supervisor by_default;
  return Refused(status) && absl::StrContains(status.message(), "oneTBB") &&
         Refused(by_default.Submit(Patient("new")));
}

void ExpectRefusedInChildrenOnly() {
  EXPECT_THAT(RunForked(RefusedBecauseOfOneTbb), ForkedChildPassed());
  EXPECT_THAT(RunForked([] {
                const ForkedChild grandchild;
                if (grandchild.is_here()) exit(RefusedBecauseOfOneTbb() ? 0 : 1);
                return grandchild.Await().wait_status == 0;
              }),
              ForkedChildPassed());
  EXPECT_TRUE(Works());
}

TEST(ForkProcess, DISABLED_OneTbbOnThisThread) {
  EXPECT_EQ(ParallelSum(1000), 499500);
  ExpectRefusedInChildrenOnly();
}

TEST(ForkProcess, S22_OneTbbBeforeTheForkIsRefused) {
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_OneTbbOnThisThread"), ChildPassed());
}

TEST(ForkProcess, DISABLED_OneTbbOnAnotherThread) {
  BusyHost host;
  ExpectRefusedInChildrenOnly();
}

TEST(ForkProcess, S22_OneTbbOnAnotherThreadBeforeTheForkIsRefused) {
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_OneTbbOnAnotherThread"), ChildPassed());
}

// The host's oneTBB starts in the child, which is no reason.
TEST(ForkProcess, DISABLED_OneTbbAfterTheFork) {
  EXPECT_THAT(RunForked([] { return ParallelSum(1000) == 499500 && Works(); }),
              ForkedChildPassed());
}

TEST(ForkProcess, S22_OneTbbInTheChildAloneDoesNotMatter) {
  EXPECT_THAT(RunInChild("ForkProcess.DISABLED_OneTbbAfterTheFork"), ChildPassed());
}

}  // namespace
}  // namespace foxtive::test
