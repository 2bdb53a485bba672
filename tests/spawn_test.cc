// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Supervisor::Default and SpawnSupervised. What spoils the one Supervisor of a process, or needs
// its first moment, or its end, has a process to itself. A start that fails: allocation_test.cc.

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class SleepingTask : public SupervisedTask {
 public:
  explicit SleepingTask(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  absl::Status Run(TaskContext& context) override {
    context.SleepFor(absl::InfiniteDuration());
    return absl::OkStatus();
  }

 private:
  const std::string name_;
};

Supervisor& Default() { return *Supervisor::Default().value(); }

// Runs on the one Supervisor, is not waited for by it, and ends when it is told to.
void ExpectRunsOnDefault(const absl::StatusOr<TaskHandle>& handle, const std::string& name) {
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_EQ(handle->name(), name);
  AwaitRunning(*handle);
  EXPECT_TRUE(Default().Find(name).value() == *handle);
  EXPECT_EQ(Default().WaitAny(absl::ZeroDuration()).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(handle->RequestStop());
  EXPECT_EQ(AwaitResult(*handle).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(Default().Find(name).status().code(), absl::StatusCode::kNotFound);
}

TEST(SpawnTest, StartsATaskInEveryForm) {
  const auto run = [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); };
  ExpectRunsOnDefault(SpawnSupervised({.name = "spec", .run = run}), "spec");
  ExpectRunsOnDefault(SpawnSupervised("named", run), "named");
  ExpectRunsOnDefault(SpawnSupervised(std::make_shared<SleepingTask>("class")), "class");
}

TEST(SpawnTest, RestartsWhatItStarted) {
  TaskSpec spec = Spec("failing", [](TaskContext& context) {
    return context.attempt() < 3 ? absl::UnavailableError("") : absl::OkStatus();
  });
  EXPECT_EQ(AwaitResult(SpawnSupervised(std::move(spec)).value()).total_attempts, 3);
}

TEST(Semantics, S20_SpawnSupervisedRefusesWhatSubmitRefuses) {
  EXPECT_THAT(std::string(SpawnSupervised("", [] {}).status().message()), HasSubstr("name: ''"));
  EXPECT_THAT(std::string(SpawnSupervised("task", nullptr).status().message()), HasSubstr("run"));
  EXPECT_THAT(std::string(SpawnSupervised(nullptr).status().message()), HasSubstr("task"));
  EXPECT_THAT(std::string(SpawnSupervised(MakeTaskSpec(nullptr)).status().message()),
              HasSubstr("task"));
}

std::vector<TaskSpec> Sleepers(const std::string& prefix) {
  std::vector<TaskSpec> specs;
  for (int i = 0; i < 5; ++i) {
    specs.push_back(MakeTaskSpec(std::make_shared<SleepingTask>(absl::StrCat(prefix, i))));
  }
  return specs;
}

TEST(SpawnTest, ManyAreStartedAllAndNotWaitedFor) {
  const absl::StatusOr<std::vector<TaskHandle>> handles = SpawnSupervisedMany(Sleepers("many "));
  ASSERT_TRUE(handles.ok()) << handles.status();
  ASSERT_THAT(*handles, SizeIs(5));
  for (int i = 0; i < 5; ++i) {
    ExpectRunsOnDefault((*handles)[i], absl::StrCat("many ", i));
  }
  EXPECT_THAT(SpawnSupervisedMany({}).value(), SizeIs(0));
}

// If one were started before the last one is looked at, it would be running, or have run.
TEST(Semantics, S20_OfManyNoneIsStartedUnlessAllAreTaken) {
  StuckWorker worker;
  const TaskHandle running = SpawnSupervised("running", worker.Run()).value();
  worker.AwaitEntered();
  for (const std::string bad : {"", "running", "none 0"}) {
    EventLog log;
    std::vector<TaskSpec> specs;
    for (const std::string name : {"none 0", "none 1", "none 2"}) {
      specs.push_back(Spec(name, [&log, name] { log.Add(name); }));
    }
    specs.push_back(Spec(bad, [] {}));
    const absl::Status status = SpawnSupervisedMany(std::move(specs)).status();
    EXPECT_EQ(status.code(),
              bad.empty() ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(Default().task_count(), 1u);
    Settle(Default());
    EXPECT_EQ(log.size(), 0u);
  }
  worker.Release();
  AwaitResult(running);
}

TEST(SpawnTest, FromManyThreadsAndFromWorkersAtOnce) {
  constexpr int kThreads = 8;
  Latch start(kThreads);
  Recorder<std::string> ran;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      start.CountDownAndAwait("the other threads");
      const std::string name = absl::StrCat("outer ", i);
      SpawnSupervised(name, [&ran, i] {
        SpawnSupervised(absl::StrCat("inner ", i), [&ran, i] { ran.Add(absl::StrCat(i)); }).value();
      }).value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(ran.AwaitSize(kThreads), SizeIs(kThreads));
  while (Default().task_count() > 0) std::this_thread::yield();
}

// --- In processes of their own

// What the children below leave behind on purpose is reachable from the one Supervisor.

TEST(SpawnProcess, DISABLED_FirstCallFromManyThreads) {
  constexpr int kThreads = 16;
  Latch start(kThreads);
  Recorder<Supervisor*> found;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      start.CountDownAndAwait("the other threads");
      found.Add(Supervisor::Default().value());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<Supervisor*> all = found.Entries();
  EXPECT_EQ(std::set<Supervisor*>(all.begin(), all.end()).size(), 1u);
  AwaitResult(SpawnSupervised("task", [] {}).value());
}

TEST(SpawnProcess, TheFirstCallMayComeFromManyThreadsAtOnce) {
  EXPECT_THAT(RunInChild("SpawnProcess.DISABLED_FirstCallFromManyThreads"), ChildPassed());
}

// Used before `main`, by whichever file is initialised first.
const bool g_spawns_before_main = [] {
  if (getenv("FOXTIVE_SPAWN_BEFORE_MAIN") == nullptr) return false;
  return AwaitResult(SpawnSupervised("early", [] {}).value()).total_attempts == 1;
}();

TEST(SpawnProcess, DISABLED_BeforeMain) { EXPECT_TRUE(g_spawns_before_main); }

TEST(SpawnProcess, ATaskMayBeSpawnedBeforeMain) {
  setenv("FOXTIVE_SPAWN_BEFORE_MAIN", "1", 1);
  const ChildResult result = RunInChild("SpawnProcess.DISABLED_BeforeMain");
  unsetenv("FOXTIVE_SPAWN_BEFORE_MAIN");
  EXPECT_THAT(result, ChildPassed());
}

// A worker that is deaf to everything, one that sleeps, one in its delay; and one that is spawned
// when main() has returned.
TEST(SpawnProcess, DISABLED_ExitWithTasks) {
  static Notification running;
  SpawnSupervised("stuck", [] {
    running.Notify();
    while (true) pause();
  }).value();
  const TaskHandle sleeper = SpawnSupervised(std::make_shared<SleepingTask>("sleeper")).value();
  const TaskHandle waiting =
      SpawnSupervised("waiting", [] { return absl::UnavailableError("no"); }).value();
  AwaitRunning(sleeper);
  AwaitBackoff(waiting, 1);
  running.Await("run");
  std::atexit([] { SpawnSupervised("late", [] {}).IgnoreError(); });
}

TEST(SpawnProcess, S15_TheProcessExitsWithSpawnedTasksInIt) {
  EXPECT_THAT(RunInChild("SpawnProcess.DISABLED_ExitWithTasks"), ChildPassed());
}

TEST(SpawnProcess, DISABLED_ShutDown) {
  const std::vector<TaskHandle> handles = SpawnSupervisedMany(Sleepers("task ")).value();
  EXPECT_EQ(Default().Shutdown(), absl::OkStatus());
  for (const TaskHandle& handle : handles) {
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  }
  constexpr auto kRefused = absl::StatusCode::kFailedPrecondition;
  EXPECT_EQ(SpawnSupervised("late", [] {}).status().code(), kRefused);
  EXPECT_EQ(SpawnSupervised(Spec("late", [] {})).status().code(), kRefused);
  EXPECT_EQ(SpawnSupervised(std::make_shared<SleepingTask>("late")).status().code(), kRefused);
  EXPECT_EQ(SpawnSupervisedMany(Sleepers("late")).status().code(), kRefused);
  EXPECT_EQ(SpawnSupervisedMany({}).status().code(), kRefused);
  EXPECT_EQ(Supervisor::Default().value(), &Default());
}

TEST(SpawnProcess, S20_AfterAShutdownNothingIsSpawned) {
  EXPECT_THAT(RunInChild("SpawnProcess.DISABLED_ShutDown"), ChildPassed());
}

// Started together with a Shutdown: all have a result after it, or none was started.
TEST(SpawnProcess, DISABLED_ManyBesideShutdown) {
  Latch start(2);
  Default();
  std::thread thread([&] {
    start.CountDownAndAwait("the other thread");
    EXPECT_EQ(Default().Shutdown(), absl::OkStatus());
  });
  start.CountDownAndAwait("the thread");
  const absl::StatusOr<std::vector<TaskHandle>> handles = SpawnSupervisedMany(Sleepers("task "));
  thread.join();
  EXPECT_EQ(Default().task_count(), 0u);
  if (!handles.ok()) return;
  for (const TaskHandle& handle : *handles) {
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  }
}

TEST(SpawnProcess, S14_AShutdownAtTheSameTimeStopsAllOrRefusesAll) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(RunInChild("SpawnProcess.DISABLED_ManyBesideShutdown"), ChildPassed());
  }
}

}  // namespace
}  // namespace foxtive::test
