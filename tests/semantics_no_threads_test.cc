// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S23: the system gives no threads, at one call or for a while. Create fails cleanly or works; no
// task is lost, no process ends, and everything goes on when there are threads again. Each case has
// a process of its own: oneTBB never forgets a thread that it did not get.

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lib/shell/capacity_registry.h"
#include "tests/support/child_process.h"
#include "tests/support/host.h"
#include "tests/support/manual_clock.h"
#include "tests/support/pool_by_hand.h"
#include "tests/support/stderr_lines.h"
#include "tests/support/test_util.h"
#include "tests/support/thread_faults.h"
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

void Meet(Supervisor& supervisor, int count = kTasks) { Meeting(supervisor, count).AwaitOver(); }

// Whether a thread of this process belongs to a Supervisor.
bool ThreadsAreLeft() {
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::ifstream file(thread.path() / "comm");
    std::string name;
    std::getline(file, name);
    const bool waits_for_ever = name == "foxtive-spare" || name == "foxtive-ghost";
    if (absl::StartsWith(name, "foxtive-") && !waits_for_ever) return true;
  }
  return false;
}

void AwaitNoThreadsLeft() {
  while (ThreadsAreLeft()) std::this_thread::yield();
}

// --- One thread can't be had: the n-th that is asked for.

class NthThread : public testing::TestWithParam<int64_t> {};

constexpr int kMaxNth = 10;
INSTANTIATE_TEST_SUITE_P(Semantics, NthThread, testing::Range<int64_t>(1, kMaxNth + 1));

// Runs the test NthThread.DISABLED_`name` for each n, all at once.
void ExpectAllPass(const std::string& name) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < kMaxNth; ++i) {
    threads.emplace_back([&name, i] {
      EXPECT_THAT(RunInChild(absl::StrCat("Semantics/NthThread.DISABLED_", name, "/", i)),
                  ChildPassed());
    });
  }
}

// Several Supervisors, one after the other: what one fault has left behind must not be in the way
// of the next one.
TEST_P(NthThread, DISABLED_FailsForANewSupervisor) {
  for (int round = 0; round < 4; ++round) {
    FailThreads(GetParam(), 1);
    absl::StatusOr<std::unique_ptr<Supervisor>> supervisor = Supervisor::Create(Options());
    if (!supervisor.ok()) {
      EXPECT_EQ(supervisor.status().code(), absl::StatusCode::kResourceExhausted);
      EXPECT_THAT(std::string(supervisor.status().message()), HasSubstr("thread"));
      AwaitNoThreadsLeft();
      supervisor = Supervisor::Create(Options());
    }
    ASSERT_TRUE(supervisor.ok());
    Meet(**supervisor);
    Meet(**supervisor);
  }
}

TEST(Semantics, S23_TheNthThreadFailsForANewSupervisor) { ExpectAllPass("FailsForANewSupervisor"); }

// With a clock of one's own there is one thread more.
TEST_P(NthThread, DISABLED_FailsForASupervisorWithAClock) {
  FailThreads(GetParam(), 1);
  auto supervisor = Supervisor::Create(OptionsWith(std::make_shared<ManualClock>()));
  if (supervisor.ok()) {
    Meet(**supervisor);
    supervisor->reset();
  } else {
    EXPECT_EQ(supervisor.status().code(), absl::StatusCode::kResourceExhausted);
  }
  AwaitNoThreadsLeft();
}

TEST(Semantics, S23_TheNthThreadFailsForASupervisorWithAClock) {
  ExpectAllPass("FailsForASupervisorWithAClock");
}

TEST_P(NthThread, DISABLED_FailsForTasks) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options());
  FailThreads(GetParam(), 1);
  Meet(*supervisor);
  EXPECT_EQ(FailedThreads(), 1);
  supervisor = MakeSupervisor(Options());
  Meet(*supervisor);
}

TEST(Semantics, S23_TheNthThreadFailsForTasks) { ExpectAllPass("FailsForTasks"); }

// A host with more demand than threads: then it is the raise of the control that creates them.
TEST_P(NthThread, DISABLED_FailsForTasksBesideABlockedHost) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options());
  const BlockedHost host(64);
  FailThreads(GetParam(), 1);
  Meet(*supervisor);
  EXPECT_EQ(FailedThreads(), 1);
  for (int round = 0; round < 2; ++round) {
    supervisor = MakeSupervisor(OptionsWith(nullptr));
    Meet(*supervisor, 2 * kTasks);
  }
  supervisor.reset();
}

TEST(Semantics, S23_TheNthThreadFailsForTasksBesideABlockedHost) {
  ExpectAllPass("FailsForTasksBesideABlockedHost");
}

// --- No thread for a while.

// `first`: of the threads that are asked for, the first one that can't be had.
void TryWithoutThreads(int64_t first, int tasks) {
  StderrLines lines;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Options(tasks));
  Meet(*supervisor, tasks / 2);
  FailThreads(first, kForEver);
  const Meeting meeting(*supervisor, tasks);
  EXPECT_THAT(lines.AwaitLine(kEvent), AllOf(HasSubstr("that are wanted"), HasSubstr("ulimit -u")));
  const int64_t failed = FailedThreads();
  while (FailedThreads() == failed) std::this_thread::yield();
  for (const TaskHandle& handle : meeting.handles())
    EXPECT_NE(handle.state(), TaskState::kFinished);
  EXPECT_EQ(Supervisor::Create({}).status().code(), absl::StatusCode::kResourceExhausted);
  GiveThreads();
  meeting.AwaitOver();
  EXPECT_THAT(lines.MoreLines(kEvent), IsEmpty());
}

TEST(Semantics, DISABLED_ManyThreadsFail) {
  for (const int first : {1, 2}) TryWithoutThreads(first, first * kTasks);
}

TEST(Semantics, S23_WithoutThreadsTasksWaitAndRunWhenThereAreSome) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_ManyThreadsFail"), ChildPassed());
}

TEST(Semantics, DISABLED_ProbesForThreads) {
  PoolByHand pool(4);
  HeldJobs jobs;
  FailThreads(1, kForEver);
  jobs.Push(pool);
  constexpr absl::Duration kStep = absl::Nanoseconds(1);
  for (int second = 0; second < 20; ++second) {
    const absl::Duration now = absl::Seconds(second);
    EXPECT_EQ(pool.Tend(now), now + absl::Seconds(1));
    EXPECT_EQ(FailedThreads(), second + 1);
    EXPECT_EQ(pool.Tend(now + absl::Seconds(1) - kStep), now + absl::Seconds(1));
    EXPECT_EQ(FailedThreads(), second + 1) << "one probe a second";
  }
  EXPECT_EQ(pool.reports().size(), 1u) << "one episode";
  const int nudges = pool.nudges();
  for (int i = 0; i < 3; ++i) jobs.Push(pool);
  EXPECT_EQ(pool.nudges(), nudges) << "the monitor looks again without being asked";
  GiveThreads();
  pool.Tend(absl::Seconds(20));
  jobs.AwaitEntered(4);
  EXPECT_EQ(pool.Tend(absl::Seconds(21)), absl::InfiniteDuration()) << "nothing is left to do";
  EXPECT_EQ(pool.reports().size(), 1u);
}

TEST(Semantics, S23_WithoutThreadsThereIsOneProbeASecondAndOneEvent) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_ProbesForThreads"), ChildPassed());
}

TEST(Semantics, DISABLED_EpisodesWithoutThreads) {
  PoolByHand pool(4);
  HeldJobs jobs;
  for (size_t episode = 0; episode < 4; ++episode) {
    FailThreads(1, kForEver);
    jobs.Push(pool);
    pool.Tend(absl::Seconds(2 * episode));
    EXPECT_EQ(pool.reports().size(), episode + 1);
    GiveThreads();
    pool.Tend(absl::Seconds(2 * episode + 1));
    jobs.AwaitEntered(episode + 1);
  }
}

TEST(Semantics, S23_EachEpisodeWithoutThreadsHasItsEvent) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_EpisodesWithoutThreads"), ChildPassed());
}

// --- Nothing of it is kept.

TEST(Semantics, DISABLED_EveryOtherThreadFails) {
  internal::CapacityRegistry& registry = internal::CapacityRegistry::Get();
  for (int round = 0; round < 20; ++round) {
    FailThreads(1 + round % 7, 1 + round % 3);
    absl::StatusOr<std::unique_ptr<Supervisor>> supervisor = Supervisor::Create(Options());
    GiveThreads();
    if (supervisor.ok()) Meet(**supervisor);
  }
  AwaitNoThreadsLeft();
  EXPECT_LT(registry.arenas_created(), 3 * kTasks);
}

TEST(Semantics, S23_SupervisorsThatCouldNotStartLeaveNothingBehind) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_EveryOtherThreadFails"), ChildPassed());
}

}  // namespace
}  // namespace foxtive::test
