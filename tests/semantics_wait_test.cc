// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S18: `WaitAny` and `WaitAll`, and what a Supervisor knows of the tasks that are over.

#include <chrono>
#include <cstddef>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kStep = absl::Microseconds(1);

// Tasks that end when the test says so, by name.
class Gates {
 public:
  // A task that fails once, waits for its gate and completes.
  TaskSpec SpecOf(const std::string& name) {
    std::shared_ptr<Notification> gate = std::make_shared<Notification>();
    gates_[name] = gate;
    return Spec(name, [gate, name](TaskContext& context) {
      if (context.attempt() == 1) return absl::UnavailableError("down");
      gate->Await(absl::StrCat("the gate of ", name));
      return absl::OkStatus();
    });
  }

  void Open(const std::string& name) { gates_.at(name)->Notify(); }

  // Opens the gate and waits until the task is over.
  void End(const TaskHandle& handle) {
    Open(handle.name());
    AwaitResult(handle);
  }

 private:
  std::map<std::string, std::shared_ptr<Notification>> gates_;
};

std::vector<TaskHandle> RegisterAndStart(Supervisor& supervisor, Gates& gates,
                                         const std::vector<std::string>& names) {
  std::vector<TaskHandle> handles;
  for (const std::string& name : names) handles.push_back(Register(supervisor, gates.SpecOf(name)));
  EXPECT_TRUE(supervisor.StartAll().ok());
  return handles;
}

// The name of the task whose result is handed out, or the code of the error.
std::string NameOf(const absl::StatusOr<SupervisionResult>& result) {
  return result.ok() ? result->task_name : absl::StatusCodeToString(result.status().code());
}

std::vector<std::string> NamesOf(const absl::StatusOr<std::vector<SupervisionResult>>& results) {
  if (!results.ok()) return {absl::StatusCodeToString(results.status().code())};
  std::vector<std::string> names;
  for (const SupervisionResult& result : *results) names.push_back(result.task_name);
  return names;
}

TEST(Semantics, S18_WaitAnyHandsOutEachResultOnceInOrderOfEnding) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  const auto handles = RegisterAndStart(*supervisor, gates, {"a", "b", "c"});
  for (int index : {2, 0, 1}) gates.End(handles[static_cast<size_t>(index)]);
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "c");
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "a");
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "b");
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "OUT_OF_RANGE");
}

TEST(Semantics, S18_WaitAnyHandsOutTheWholeResult) {
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [] { return absl::UnavailableError("down"); });
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  Register(*supervisor, std::move(spec));
  ASSERT_TRUE(supervisor->StartAll().ok());
  const absl::StatusOr<SupervisionResult> result = supervisor->WaitAny();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->task_name, "task");
  EXPECT_EQ(result->total_attempts, 3);
  EXPECT_EQ(result->final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result->last_error, absl::UnavailableError("down"));
}

TEST(Semantics, S18_WaitAnyWaitsForTheNextEnd) {
  Gates gates;
  auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  RegisterAndStart(*supervisor, gates, {"a", "b"});
  auto wait = std::async(std::launch::async, [&] { return supervisor->WaitAny(absl::Hours(1)); });
  clock->AwaitDeadline(clock->Now() + absl::Hours(1));
  gates.Open("b");
  EXPECT_EQ(NameOf(Await(wait, "WaitAny")), "b");
  gates.Open("a");
}

TEST(Semantics, S18_WaitAllReturnsAllInOrderOfEnding) {
  Gates gates;
  auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  const auto handles = RegisterAndStart(*supervisor, gates, {"a", "b", "c"});
  auto wait = std::async(std::launch::async, [&] { return supervisor->WaitAll(absl::Hours(1)); });
  clock->AwaitDeadline(clock->Now() + absl::Hours(1));
  gates.End(handles[1]);
  gates.End(handles[0]);
  EXPECT_NE(wait.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  gates.End(handles[2]);
  EXPECT_THAT(NamesOf(Await(wait, "WaitAll")), ElementsAre("b", "a", "c"));
}

TEST(Semantics, S18_WaitAllLeavesOutWhatWaitAnyHasHandedOut) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  const auto handles = RegisterAndStart(*supervisor, gates, {"a", "b", "c"});
  for (const TaskHandle& handle : handles) gates.End(handle);
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "a");
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), ElementsAre("b", "c"));
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "OUT_OF_RANGE");
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), IsEmpty());
}

TEST(Semantics, S18_HandlesKeepWhatIsHandedOut) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  const auto handles = RegisterAndStart(*supervisor, gates, {"a", "b"});
  for (const TaskHandle& handle : handles) gates.End(handle);
  supervisor->WaitAny().IgnoreError();
  supervisor->WaitAll().IgnoreError();
  for (const TaskHandle& handle : handles) {
    EXPECT_EQ(NameOf(handle.Wait()), handle.name());
    EXPECT_EQ(handle.TryResult()->total_attempts, 2);
    EXPECT_EQ(handle.future().get().task_name, handle.name());
  }
}

TEST(Semantics, S18_ReadingAHandleTakesNothingFromWaitAny) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  const auto handles = RegisterAndStart(*supervisor, gates, {"a"});
  gates.End(handles[0]);
  handles[0].Wait().IgnoreError();
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "a");
}

TEST(Semantics, S18_WithNothingRegisteredThereIsNothingToWaitFor) {
  auto supervisor = MakeSupervisor();
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "OUT_OF_RANGE");
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), IsEmpty());
}

TEST(Semantics, S18_TasksNotStartedAreNotWaitedFor) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  Register(*supervisor, gates.SpecOf("not yet"));
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "OUT_OF_RANGE");
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), IsEmpty());
}

TEST(Semantics, S18_WaitAllReturnsWhileATaskIsNotStarted) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  RegisterAndStart(*supervisor, gates, {"a", "b"});
  Register(*supervisor, gates.SpecOf("later"));
  gates.Open("a");
  gates.Open("b");
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "OUT_OF_RANGE");
  ASSERT_TRUE(supervisor->StartAll().ok());
  gates.Open("later");
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "later");
}

TEST(Semantics, S18_SubmittedTasksAreNotWaitedFor) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  TaskHandle submitted = Submit(*supervisor, gates.SpecOf("submitted"));
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "OUT_OF_RANGE");
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), IsEmpty());
  gates.End(submitted);
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "OUT_OF_RANGE");
}

TEST(Semantics, S18_WaitAllWaitsForTheRegisteredOfAMix) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  Submit(*supervisor, gates.SpecOf("submitted"));
  RegisterAndStart(*supervisor, gates, {"a", "b"});
  gates.Open("a");
  gates.Open("b");
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(supervisor->task_count(), 1u);
  gates.Open("submitted");
}

// Starts a wait of 5 s for a task that does not end, and tells what it returns.
template <typename Wait>
void ExpectTimesOutAfterFiveSeconds(Wait wait_on) {
  Gates gates;
  auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  RegisterAndStart(*supervisor, gates, {"a"});
  auto wait = std::async(std::launch::async, [&] { return wait_on(*supervisor).status(); });
  clock->AwaitDeadline(clock->Now() + absl::Seconds(5));
  clock->Advance(absl::Seconds(5) - kStep);
  Settle(*supervisor);
  EXPECT_NE(wait.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  clock->Advance(kStep);
  EXPECT_EQ(Await(wait, "the wait").code(), absl::StatusCode::kDeadlineExceeded);
  gates.Open("a");
}

TEST(Semantics, S18_WaitAnyTimesOutWhenItsTimeIsOver) {
  ExpectTimesOutAfterFiveSeconds(
      [](Supervisor& supervisor) { return supervisor.WaitAny(absl::Seconds(5)); });
}

TEST(Semantics, S18_WaitAllTimesOutWhenItsTimeIsOver) {
  ExpectTimesOutAfterFiveSeconds(
      [](Supervisor& supervisor) { return supervisor.WaitAll(absl::Seconds(5)); });
}

TEST(Semantics, S18_WithoutTimeOnlyWhatIsThereIsHandedOut) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  const auto handles = RegisterAndStart(*supervisor, gates, {"a", "b"});
  EXPECT_EQ(NameOf(supervisor->WaitAny(absl::ZeroDuration())), "DEADLINE_EXCEEDED");
  EXPECT_EQ(NameOf(supervisor->WaitAny(-kStep)), "DEADLINE_EXCEEDED");
  gates.End(handles[0]);
  EXPECT_THAT(NamesOf(supervisor->WaitAll(absl::ZeroDuration())), ElementsAre("DEADLINE_EXCEEDED"));
  EXPECT_EQ(NameOf(supervisor->WaitAny(absl::ZeroDuration())), "a");
  EXPECT_EQ(NameOf(supervisor->WaitAny(absl::ZeroDuration())), "DEADLINE_EXCEEDED");
  gates.End(handles[1]);
  EXPECT_THAT(NamesOf(supervisor->WaitAll(-absl::InfiniteDuration())), ElementsAre("b"));
}

TEST(Semantics, S18_AWaitAllThatTimesOutTakesNothing) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  const auto handles = RegisterAndStart(*supervisor, gates, {"a", "b"});
  gates.End(handles[0]);
  EXPECT_THAT(NamesOf(supervisor->WaitAll(absl::ZeroDuration())), ElementsAre("DEADLINE_EXCEEDED"));
  gates.End(handles[1]);
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), ElementsAre("a", "b"));
}

TEST(Semantics, S18_ConcurrentWaitAnyGetEachResultOnce) {
  constexpr int kThreads = 8, kTasks = 200;
  auto supervisor = MakeSupervisor();
  std::vector<std::string> names;
  for (int i = 0; i < kTasks; ++i) {
    names.push_back(absl::StrCat("task-", i));
    Register(*supervisor, Spec(names.back(), [i](TaskContext& context) {
      return context.attempt() <= i % 3 ? absl::UnavailableError("") : absl::OkStatus();
    }));
  }
  ASSERT_TRUE(supervisor->StartAll().ok());
  EventLog handed_out;
  std::vector<std::future<absl::StatusCode>> waiters;
  for (int i = 0; i < kThreads; ++i) {
    waiters.push_back(std::async(std::launch::async, [&] {
      while (true) {
        const absl::StatusOr<SupervisionResult> result = supervisor->WaitAny();
        if (!result.ok()) return result.status().code();
        handed_out.Add(result->task_name);
      }
    }));
  }
  for (auto& waiter : waiters) {
    EXPECT_EQ(Await(waiter, "WaitAny"), absl::StatusCode::kOutOfRange);
  }
  EXPECT_THAT(handed_out.Entries(), ::testing::UnorderedElementsAreArray(names));
}

TEST(Semantics, S18_WaitingThreadsLearnThatNothingIsLeft) {
  Gates gates;
  auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  RegisterAndStart(*supervisor, gates, {"only"});
  std::vector<std::future<std::string>> waiters;
  for (int i = 0; i < 2; ++i) {
    const absl::Duration timeout = absl::Hours(1 + i);
    waiters.push_back(std::async(std::launch::async, [&supervisor, timeout] {
      return NameOf(supervisor->WaitAny(timeout));
    }));
    clock->AwaitDeadline(clock->Now() + timeout);
  }
  gates.Open("only");
  std::vector<std::string> outcomes;
  for (auto& waiter : waiters) outcomes.push_back(Await(waiter, "WaitAny"));
  EXPECT_THAT(outcomes, UnorderedElementsAre("only", "OUT_OF_RANGE"));
}

TEST(Semantics, S18_StoppedBeforeItStartedIsHandedOut) {
  EventLog log;
  Gates gates;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = gates.SpecOf("task");
  spec.hooks.cleanup = [&] { log.Add("cleanup"); };
  spec.hooks.on_shutdown = [&] { log.Add("on_shutdown"); };
  TaskHandle handle = Register(*supervisor, std::move(spec));
  EXPECT_TRUE(handle.RequestStop());
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(result.total_attempts, 0);
  EXPECT_TRUE(result.last_error.ok());
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "task");
  EXPECT_THAT(log.Entries(), IsEmpty());
}

TEST(Semantics, S18_ResultsAreHandedOutAfterShutdown) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  const auto handles = RegisterAndStart(*supervisor, gates, {"a", "b"});
  gates.End(handles[0]);
  gates.End(handles[1]);
  Register(*supervisor, gates.SpecOf("not started"));
  EXPECT_EQ(supervisor->Shutdown(), absl::OkStatus());
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), ElementsAre("a", "b", "not started"));
}

TEST(Semantics, S18_BothTasksOfOneNameAreHandedOut) {
  auto supervisor = MakeSupervisor();
  for (int i = 0; i < 2; ++i) {
    TaskHandle handle = Register(*supervisor, Spec("task", [] {}));
    ASSERT_TRUE(supervisor->StartAll().ok());
    AwaitResult(handle);
  }
  EXPECT_THAT(NamesOf(supervisor->WaitAll()), ElementsAre("task", "task"));
}

TEST(Semantics, S18_SubmittedTasksAreForgottenWhenTheyAreOver) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  TaskHandle handle = Submit(*supervisor, gates.SpecOf("task"));
  EXPECT_THAT(supervisor->ListTasks(), SizeIs(1));
  EXPECT_TRUE(supervisor->Find("task").ok());
  gates.End(handle);
  EXPECT_THAT(supervisor->ListTasks(), IsEmpty());
  EXPECT_EQ(supervisor->Find("task").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(handle.state(), TaskState::kFinished);
}

TEST(Semantics, S18_RegisteredTasksAreFoundUntilTheirResultIsHandedOut) {
  Gates gates;
  auto supervisor = MakeSupervisor();
  const auto handles = RegisterAndStart(*supervisor, gates, {"a", "b"});
  gates.End(handles[0]);
  ASSERT_TRUE(supervisor->Find("a").ok());
  EXPECT_EQ(*supervisor->Find("a"), handles[0]);
  EXPECT_EQ(supervisor->Find("a")->TryResult()->total_attempts, 2);
  const std::vector<TaskInfo> infos = supervisor->ListTasks();
  ASSERT_THAT(infos, SizeIs(1));
  EXPECT_EQ(infos[0].name, "b");
  EXPECT_EQ(supervisor->task_count(), 1u);
  EXPECT_EQ(NameOf(supervisor->WaitAny()), "a");
  EXPECT_EQ(supervisor->Find("a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(handles[0].TryResult().has_value());
  gates.Open("b");
}

TEST(Semantics, S18_ANameIsFreeAsSoonAsTheResultIsOut) {
  auto supervisor = MakeSupervisor();
  for (int i = 0; i < 500; ++i) {
    absl::StatusOr<TaskHandle> handle = supervisor->Submit(Spec("task", [] {}));
    ASSERT_TRUE(handle.ok()) << i << ": " << handle.status();
    AwaitResult(*handle);
    ASSERT_THAT(supervisor->ListTasks(), IsEmpty()) << i;
    ASSERT_EQ(supervisor->task_count(), 0u) << i;
  }
}

}  // namespace
}  // namespace foxtive::test
