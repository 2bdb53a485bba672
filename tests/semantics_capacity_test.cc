// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S23: oneTBB is limited, by a control of the host or by its own hard limit. Tasks wait, an event
// says why, and they run when the limit goes. Cases that need a limit of their own, or count what
// is written, have a process of their own. semantics_no_threads_test.cc has the system's limits.

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lib/shell/capacity_registry.h"
#include "tests/support/child_process.h"
#include "tests/support/host.h"
#include "tests/support/pool_by_hand.h"
#include "tests/support/stderr_lines.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kEvent[] = "tasks wait for a thread: ";
constexpr int kTasks = 8;

SupervisorOptions Options(int max_concurrency = kTasks) {
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = max_concurrency;
  return options;
}

int WantedParallelism() { return internal::CapacityRegistry::Get().parallelism(); }

// What the event has to say about a control of the host that allows `found`.
auto TellsTheLimit(int found) {
  return AllOf(HasSubstr(absl::StrCat("allows a parallelism of ", found, ",")),
               HasSubstr("is wanted"), HasSubstr("tbb::global_control"));
}

// --- A control of the host.

// `allowed`: 1 gives oneTBB no worker, 2 gives one, 3 gives two.
void TryControlBeforeTheFirstSupervisor(int allowed) {
  StderrLines lines;
  auto control = std::make_unique<HostControl>(allowed);
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options());
  const Meeting meeting(*supervisor, kTasks);
  EXPECT_THAT(lines.AwaitLine(kEvent), TellsTheLimit(allowed));
  EXPECT_FALSE(meeting.AllInside());
  EXPECT_GT(WantedParallelism(), allowed);
  control.reset();
  meeting.AwaitOver();
  EXPECT_THAT(lines.MoreLines(kEvent), IsEmpty());
}

TEST(Semantics, DISABLED_ControlOf1) { TryControlBeforeTheFirstSupervisor(1); }
TEST(Semantics, DISABLED_ControlOf2) { TryControlBeforeTheFirstSupervisor(2); }
TEST(Semantics, DISABLED_ControlOf3) { TryControlBeforeTheFirstSupervisor(3); }

TEST(Semantics, S23_AControlThatIsThereFirstMakesTasksWaitUntilItGoes) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_ControlOf1"), ChildPassed());
  EXPECT_THAT(RunInChild("Semantics.DISABLED_ControlOf2"), ChildPassed());
  EXPECT_THAT(RunInChild("Semantics.DISABLED_ControlOf3"), ChildPassed());
}

TEST(Semantics, DISABLED_ControlThatLeavesRoom) {
  StderrLines lines;
  const HostControl control(kTasks + 2);
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options());
  Meeting(*supervisor, kTasks).AwaitOver();
  EXPECT_THAT(lines.MoreLines(kEvent), IsEmpty());
}

TEST(Semantics, S23_AControlThatLeavesRoomIsNoEvent) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_ControlThatLeavesRoom"), ChildPassed());
}

// Tasks that run go on; there is an event for each time that another one has to wait.
TEST(Semantics, DISABLED_ControlThatComesAndGoes) {
  StderrLines lines;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options());
  std::deque<StuckWorker> workers;
  const auto submit = [&] {
    const std::string name = absl::StrCat("task-", workers.size());
    Submit(*supervisor, Spec(name, workers.emplace_back().Run()));
  };
  submit();
  workers.back().AwaitEntered();
  for (const int allowed : {1, 2, 1, 2}) {
    auto control = std::make_unique<HostControl>(allowed);
    submit();
    EXPECT_THAT(lines.AwaitLine(kEvent), TellsTheLimit(allowed));
    control.reset();
    workers.back().AwaitEntered();
    EXPECT_THAT(lines.MoreLines(kEvent), IsEmpty());
  }
  for (StuckWorker& worker : workers) worker.Release();
}

TEST(Semantics, S23_AControlThatComesAndGoesHasAnEventEachTime) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_ControlThatComesAndGoes"), ChildPassed());
}

// A task that is stopped runs in a lane and in a service lane: both are there afterwards.
void AwaitFirstLanes(Supervisor& supervisor) {
  TaskSpec spec = Spec("first", [](TaskContext& context) {
    context.SleepFor(absl::InfiniteDuration());
    return absl::OkStatus();
  });
  spec.hooks.on_shutdown = [] {};
  const TaskHandle handle = Submit(supervisor, std::move(spec));
  AwaitRunning(handle);
  handle.RequestStop();
  AwaitResult(handle);
}

// The lanes that there are serve all tasks, and a stop does not wait for another one.
TEST(Semantics, DISABLED_FewLanes) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options());
  AwaitFirstLanes(*supervisor);
  StuckWorker holds_the_lanes;
  const HostControl control(1);
  std::vector<TaskHandle> holders;
  for (int i = 0; i < kTasks; ++i) {
    holders.push_back(Submit(*supervisor, Spec(absl::StrCat("holder-", i), holds_the_lanes.Run())));
  }
  holds_the_lanes.AwaitEntered();
  std::vector<TaskHandle> handles;
  for (int i = 0; i < 100; ++i) {
    handles.push_back(Submit(*supervisor, Spec(absl::StrCat("task-", i), [] {})));
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(handles[i].RequestStop());
    EXPECT_EQ(AwaitResult(handles[i]).final_status, SupervisionStatus::kManuallyStopped);
  }
  holds_the_lanes.Release();
  for (const TaskHandle& holder : holders) AwaitResult(holder);
  for (int i = 50; i < 100; ++i) {
    EXPECT_EQ(AwaitResult(handles[i]).final_status, SupervisionStatus::kCompletedNormally);
  }
}

TEST(Semantics, S23_TheLanesThatThereAreServeAllTasks) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_FewLanes"), ChildPassed());
}

// Supervisors that come and go under a limit, with tasks that never get a lane.
TEST(Semantics, DISABLED_SupervisorsUnderAControl) {
  auto control = std::make_unique<HostControl>(1);
  for (int round = 0; round < 20; ++round) {
    SupervisorOptions options = Options();
    options.shutdown_timeout = absl::ZeroDuration();
    std::unique_ptr<Supervisor> supervisor = MakeSupervisor(options);
    for (int i = 0; i < kTasks; ++i) {
      Submit(*supervisor, Spec(absl::StrCat("task-", i), [] {}));
    }
  }
  control.reset();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options());
  Meeting(*supervisor, kTasks).AwaitOver();
  supervisor.reset();
  const internal::CapacityRegistry& registry = internal::CapacityRegistry::Get();
  while (registry.arenas_pooled() < registry.arenas_created()) std::this_thread::yield();
}

TEST(Semantics, S23_SupervisorsThatEndUnderALimitGiveTheirLanesBack) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_SupervisorsUnderAControl"), ChildPassed());
}

// --- oneTBB's hard limit, which is fixed when it starts.

TEST(Semantics, DISABLED_HardLimit) {
  ParallelSum(1000);
  // What oneTBB promises at least, and what it gives for many cores.
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const int tasks = std::max(256, 4 * cores) + 20;
  StderrLines lines;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options(tasks));
  Notification may_end;
  std::atomic<int> inside{0};
  std::vector<TaskHandle> handles;
  for (int i = 0; i < tasks; ++i) {
    handles.push_back(Submit(*supervisor, Spec(absl::StrCat("task-", i), [&] {
      ++inside;
      may_end.Await("the end of the test");
    })));
  }
  const std::string line = lines.AwaitLine(kEvent);
  EXPECT_THAT(line, TellsTheLimit(AllowedParallelism()));
  EXPECT_LT(AllowedParallelism(), WantedParallelism());
  // All of its workers, but the service lane's, and maybe one or two of the host's.
  while (inside < AllowedParallelism() - 6) std::this_thread::yield();
  EXPECT_LT(inside, tasks);
  may_end.Notify();
  for (const TaskHandle& handle : handles) AwaitResult(handle);
  EXPECT_EQ(inside, tasks);
  EXPECT_THAT(lines.MoreLines(kEvent), IsEmpty());
}

TEST(Semantics, S23_TasksBeyondTheHardLimitOfOneTbbWaitForALane) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_HardLimit"), ChildPassed());
}

TEST(Semantics, DISABLED_BeforeTheHost) {
  StderrLines lines;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options(300));
  ParallelSum(1000);
  Meeting(*supervisor, 300).AwaitOver();
  EXPECT_THAT(lines.MoreLines(kEvent), IsEmpty());
}

TEST(Semantics, S23_ASupervisorThatIsThereFirstRaisesTheHardLimit) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_BeforeTheHost"), ChildPassed());
}

// --- What it costs to wait.

TEST(Semantics, DISABLED_LooksAtTheLimit) {
  const HostControl control(2);  // one worker
  PoolByHand pool(4);
  HeldJobs jobs;
  jobs.Push(pool);
  pool.Tend(absl::ZeroDuration());
  jobs.AwaitEntered(1);
  jobs.Push(pool);
  // Later than the first lane can have come in real time, which counts as well.
  const absl::Duration launched = absl::Hours(1);
  const absl::Duration late = pool.Tend(launched);
  EXPECT_EQ(pool.reports().size(), 0u);
  EXPECT_EQ(late, launched + absl::Milliseconds(100));
  EXPECT_EQ(pool.Tend(late - absl::Nanoseconds(1)), late);
  EXPECT_EQ(pool.reports().size(), 0u) << "it may still come";
  for (int second = 0; second < 30; ++second) {
    const absl::Duration now = late + absl::Seconds(second);
    EXPECT_EQ(pool.Tend(now), now + absl::Seconds(1));
    EXPECT_EQ(pool.Tend(now + absl::Milliseconds(999)), now + absl::Seconds(1));
  }
  EXPECT_EQ(pool.reports().size(), 1u) << "one episode";
  // More jobs launch no more lanes, and make the monitor look once.
  const int nudges = pool.nudges();
  for (int i = 0; i < 5; ++i) {
    jobs.Push(pool);
    pool.Tend(late + absl::Seconds(30));
  }
  EXPECT_LE(pool.nudges(), nudges + 1);
  EXPECT_EQ(internal::CapacityRegistry::Get().arenas_created(), 2);
  EXPECT_EQ(pool.reports().size(), 1u);
}

TEST(Semantics, S23_ALimitIsLookedAtOnceASecondAndOneLaneWaitsForIt) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_LooksAtTheLimit"), ChildPassed());
}

absl::Duration CpuTime() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

// One probe a second is nothing beside one core. One quiet window is enough.
TEST(Semantics, DISABLED_WaitingBurnsNothing) {
  StderrLines lines;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options());
  StuckWorker holds_the_lane;
  Submit(*supervisor, Spec("holder", holds_the_lane.Run()));
  holds_the_lane.AwaitEntered();
  const HostControl control(1);
  std::vector<TaskHandle> handles;
  for (int i = 0; i < 1000; ++i) {
    handles.push_back(Submit(*supervisor, Spec(absl::StrCat("task-", i), [] {})));
  }
  lines.AwaitLine(kEvent);
  absl::Duration least = absl::InfiniteDuration();
  for (int window = 0; window < 20 && least > absl::Milliseconds(50); ++window) {
    const absl::Duration before = CpuTime();
    Clock clock;
    Clock::Parker parker;
    clock.Park(parker, clock.NowNanos() + absl::ToInt64Nanoseconds(absl::Seconds(1)));
    least = std::min(least, CpuTime() - before);
  }
  EXPECT_LE(least, absl::Milliseconds(50));
  holds_the_lane.Release();
  for (const TaskHandle& handle : handles) AwaitResult(handle);
}

TEST(Semantics, S23_WaitingForAThreadBurnsNothing) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_WaitingBurnsNothing"), ChildPassed());
}

// --- A cap, not a reservation.

TEST(Semantics, DISABLED_IdleSupervisors) {
  std::vector<std::unique_ptr<Supervisor>> supervisors;
  for (int i = 0; i < 10; ++i) supervisors.push_back(MakeSupervisor(Options(1000)));
  const internal::CapacityRegistry& registry = internal::CapacityRegistry::Get();
  EXPECT_EQ(registry.arenas_created(), 20) << "a lane and a service lane each";
  Meeting(*supervisors[0], 10).AwaitOver();
  EXPECT_EQ(registry.arenas_created(), 29) << "nine lanes more";
}

TEST(Semantics, S23_ThreadsAppearOnlyAsTheyAreNeeded) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_IdleSupervisors"), ChildPassed());
}

}  // namespace
}  // namespace foxtive::test
