// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S19 and S23: more ready tasks than lanes, by choice or because oneTBB gives no more threads.

#include <atomic>
#include <memory>
#include <optional>
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
#include "oneapi/tbb/global_control.h"
#include "oneapi/tbb/parallel_for.h"
#include "oneapi/tbb/task_arena.h"
#include "tests/support/child_process.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

SupervisorOptions Lanes(int max_concurrency) {
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = max_concurrency;
  return options;
}

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(absl::StrCat("task-", i));
  return names;
}

// Tasks that add their name to `log` and end.
std::vector<TaskHandle> SubmitLoggers(Supervisor& supervisor, int count, EventLog& log) {
  std::vector<TaskHandle> handles;
  for (const std::string& name : Names(count)) {
    handles.push_back(Submit(supervisor, Spec(name, [&log, name] { log.Add(name); })));
  }
  return handles;
}

TEST(Semantics, S19_TasksWithoutALaneWaitInOrder) {
  EventLog log;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Lanes(1));
  StuckWorker holds_the_lane;
  Submit(*supervisor, Spec("holder", holds_the_lane.Run()));
  holds_the_lane.AwaitEntered();
  const std::vector<TaskHandle> handles = SubmitLoggers(*supervisor, 100, log);
  for (const TaskHandle& handle : handles) AwaitState(handle, TaskState::kQueued);
  EXPECT_EQ(log.size(), 0u);
  holds_the_lane.Release();
  for (const TaskHandle& handle : handles) AwaitResult(handle);
  EXPECT_EQ(log.Entries(), Names(100));
}

TEST(Semantics, S19_TheOneLaneThatIsLeftServesInOrder) {
  EventLog log;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Lanes(2));
  StuckWorker keeps_its_lane;
  StuckWorker gives_its_lane;
  const TaskHandle keeper = Submit(*supervisor, Spec("keeper", keeps_its_lane.Run()));
  Submit(*supervisor, Spec("giver", gives_its_lane.Run()));
  keeps_its_lane.AwaitEntered();
  gives_its_lane.AwaitEntered();
  const std::vector<TaskHandle> handles = SubmitLoggers(*supervisor, 100, log);
  for (const TaskHandle& handle : handles) AwaitState(handle, TaskState::kQueued);
  gives_its_lane.Release();
  for (const TaskHandle& handle : handles) AwaitResult(handle);
  EXPECT_EQ(log.Entries(), Names(100));
  EXPECT_EQ(keeper.state(), TaskState::kRunning);
}

// Two lanes, and each worker ends only when its neighbour is inside, too: the first with the
// second, the third with the fourth. Out of order, two that do not belong together would block each
// other.
TEST(Semantics, S19_TwoLanesServeNeighbours) {
  constexpr int kPairs = 50;
  std::vector<std::unique_ptr<Latch>> pairs;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Lanes(2));
  std::vector<TaskHandle> handles;
  for (int i = 0; i < kPairs; ++i) {
    Latch* pair = pairs.emplace_back(std::make_unique<Latch>(2)).get();
    for (const char* side : {"left", "right"}) {
      handles.push_back(Submit(*supervisor, Spec(absl::StrCat(side, i), [pair] {
        pair->CountDownAndAwait("the neighbour");
      })));
    }
  }
  for (const TaskHandle& handle : handles) AwaitResult(handle);
}

TEST(Semantics, S19_AStopTakesATaskOutAndLeavesTheOrder) {
  EventLog log;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Lanes(1));
  StuckWorker holds_the_lane;
  Submit(*supervisor, Spec("holder", holds_the_lane.Run()));
  holds_the_lane.AwaitEntered();
  const std::vector<TaskHandle> handles = SubmitLoggers(*supervisor, 30, log);
  std::vector<std::string> expected;
  for (size_t i = 0; i < handles.size(); ++i) {
    if (i % 3 == 0) {
      EXPECT_TRUE(handles[i].RequestStop());
      EXPECT_EQ(AwaitResult(handles[i]).final_status, SupervisionStatus::kManuallyStopped);
    } else {
      expected.push_back(handles[i].name());
    }
  }
  holds_the_lane.Release();
  for (const TaskHandle& handle : handles) AwaitResult(handle);
  EXPECT_EQ(log.Entries(), expected);
}

TEST(Semantics, S19_NothingIsDropped) {
  constexpr int kTasks = 2000;
  std::atomic<int> runs{0};
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Lanes(4));
  std::vector<TaskHandle> handles;
  for (int i = 0; i < kTasks; ++i) {
    handles.push_back(Submit(
        *supervisor, Spec(absl::StrCat("task-", i), [&](TaskContext& context) -> absl::Status {
          ++runs;
          if (context.attempt() == 3) {
            return absl::OkStatus();
          }
          return absl::UnavailableError("refused");
        })));
  }
  for (const TaskHandle& handle : handles) {
    EXPECT_EQ(AwaitResult(handle).total_attempts, 3);
  }
  EXPECT_EQ(runs, 3 * kTasks);
  EXPECT_EQ(supervisor->task_count(), 0u);
}

// No more than max_concurrency are inside at once, and as many are.
TEST(Semantics, S19_MaxConcurrencyIsReachedAndNotExceeded) {
  constexpr int kLanes = 3;
  Latch all_inside(kLanes);
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(Lanes(kLanes));
  std::vector<TaskHandle> handles;
  for (int i = 0; i < 200; ++i) {
    handles.push_back(Submit(*supervisor, Spec(absl::StrCat("task-", i), [&] {
      const int now = ++inside;
      for (int most = most_inside; now > most && !most_inside.compare_exchange_weak(most, now);) {
      }
      all_inside.CountDownAndAwait("as many workers as lanes");
      --inside;
    })));
  }
  for (const TaskHandle& handle : handles) AwaitResult(handle);
  EXPECT_EQ(most_inside, kLanes);
}

}  // namespace
}  // namespace foxtive::test
