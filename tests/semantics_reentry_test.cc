// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S17: what user code may call. Waits for oneself are refused, everything that does not block works
// from everywhere.

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

// A call that was made, and what it said.
struct Answer {
  std::string place;
  std::string call;
  absl::Status status;
};

// All calls that would wait for the caller.
std::vector<Answer> WaitForOneself(std::string_view place, Supervisor& supervisor,
                                   const TaskHandle* own) {
  const std::string here(place);
  std::vector<Answer> answers = {
      {here, "WaitAny()", supervisor.WaitAny().status()},
      {here, "WaitAny(0)", supervisor.WaitAny(absl::ZeroDuration()).status()},
      {here, "WaitAll()", supervisor.WaitAll().status()},
      {here, "WaitAll(0)", supervisor.WaitAll(absl::ZeroDuration()).status()},
      {here, "Shutdown()", supervisor.Shutdown()},
      {here, "Shutdown(1 s)", supervisor.Shutdown(absl::Seconds(1))}};
  if (own != nullptr) answers.push_back({here, "Wait()", own->Wait().status()});
  return answers;
}

// Lets a GrandTour run from setup to its end, with `visit` in between.
void RunTour(Supervisor& supervisor,
             const std::function<void(std::string_view, const TaskHandle&)>& visit) {
  Latch third_attempt(3);
  std::optional<TaskHandle> tour;
  tour = Register(supervisor, GrandTour("tour", [&](std::string_view place) {
                    if (place == "run") third_attempt.CountDown();
                    visit(place, *tour);
                  }));
  ASSERT_TRUE(supervisor.StartAll().ok());
  third_attempt.Await("the third attempt");
  EXPECT_TRUE(tour->RequestStop());
  EXPECT_EQ(AwaitResult(*tour).final_status, SupervisionStatus::kManuallyStopped);
}

std::set<std::string> AsSet(const std::vector<std::string>& names) {
  return std::set<std::string>(names.begin(), names.end());
}

TEST(Semantics, S17_WaitingForOneselfIsRefusedInAllUserCodeOfATask) {
  Recorder<Answer> answers;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  RunTour(*supervisor, [&](std::string_view place, const TaskHandle& own) {
    for (Answer& answer : WaitForOneself(place, *supervisor, &own)) answers.Add(std::move(answer));
  });
  std::set<std::string> places;
  for (const Answer& answer : answers.Entries()) {
    SCOPED_TRACE(absl::StrCat(answer.call, " from ", answer.place));
    places.insert(answer.place);
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(answer.status.message(), HasSubstr("wait"));
    EXPECT_THAT(answer.status.message(), AnyOf(HasSubstr("own"), HasSubstr("itself")));
  }
  EXPECT_EQ(places, AsSet(GrandTourPlaces()));
}

// A refused Shutdown stops nothing.
TEST(Semantics, S17_RefusedShutdownChangesNothing) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    EXPECT_FALSE(supervisor->Shutdown().ok());
    EXPECT_FALSE(context.stop_requested());
    EXPECT_TRUE(supervisor->Submit(Spec("other", [] {})).status().ok());
  }));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
}

TEST(Semantics, S17_WaitForAnotherTaskIsAllowed) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Notification waiting;
  const TaskHandle other =
      Submit(*supervisor, Spec("other", [&] { waiting.Await("the waiting worker"); }));
  const TaskHandle waiter = Submit(*supervisor, Spec("waiter", [&]() -> absl::Status {
    EXPECT_EQ(other.Wait(absl::ZeroDuration()).status().code(),
              absl::StatusCode::kDeadlineExceeded);
    waiting.Notify();
    return other.Wait().status();
  }));
  EXPECT_EQ(AwaitResult(waiter).final_status, SupervisionStatus::kCompletedNormally);
}

TEST(Semantics, S17_WaitingForAnotherSupervisorIsAllowed) {
  std::unique_ptr<Supervisor> one = MakeSupervisor();
  std::unique_ptr<Supervisor> other = MakeSupervisor();
  Register(*other, Spec("first", [] {}));
  Register(*other, Spec("second", [] {}));
  const TaskHandle waiter = Submit(*one, Spec("waiter", [&] {
    EXPECT_TRUE(other->StartAll().ok());
    EXPECT_TRUE(other->WaitAny().ok());
    EXPECT_EQ(other->WaitAll().value().size(), 1u);
    EXPECT_TRUE(other->Shutdown().ok());
  }));
  EXPECT_EQ(AwaitResult(waiter).final_status, SupervisionStatus::kCompletedNormally);
}

// Each of two workers waits for a task of the other's Supervisor: no cycle, so no refusal.
TEST(Semantics, S17_AWorkerMayWaitForAHandleOfAnotherSupervisor) {
  std::unique_ptr<Supervisor> one = MakeSupervisor();
  std::unique_ptr<Supervisor> other = MakeSupervisor();
  const TaskHandle first = Submit(*one, Spec("first", [] {}));
  const TaskHandle second = Submit(*other, Spec("second", [&] { EXPECT_TRUE(first.Wait().ok()); }));
  const TaskHandle third = Submit(*one, Spec("third", [&] { EXPECT_TRUE(second.Wait().ok()); }));
  EXPECT_EQ(AwaitResult(third).final_status, SupervisionStatus::kCompletedNormally);
}

// What marks a thread as a worker's is gone when the worker is: a wait by its next task for an
// earlier one is no wait for itself.
TEST(Semantics, S17_AThreadThatHasServedATaskMayServeOneThatWaitsForIt) {
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 1;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  const TaskHandle first = Submit(*supervisor, Spec("first", [] {}));
  AwaitResult(first);
  const TaskHandle second =
      Submit(*supervisor, Spec("second", [&] { EXPECT_TRUE(first.Wait().ok()); }));
  AwaitResult(second);
}

// Everything of the public interface that does not block.
void CallAllThatDoesNotBlock(Supervisor& supervisor, const TaskHandle& handle) {
  static std::atomic<int> next{0};
  const std::string suffix = absl::StrCat(next++);
  const absl::StatusOr<TaskHandle> brief = supervisor.Submit(Spec("brief-" + suffix, [] {}));
  EXPECT_TRUE(brief.ok()) << brief.status();
  EXPECT_TRUE(supervisor.Register(Spec("registered-" + suffix, [] {})).ok());
  EXPECT_EQ(supervisor.Submit(TaskSpec{}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(supervisor.StartAll().ok());
  EXPECT_EQ(supervisor.Find("nobody").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(supervisor.Find("registered-" + suffix).ok());
  supervisor.ListTasks();
  supervisor.task_count();
  TaskHandle copy = handle;
  copy = *brief;
  copy.RequestStop();
  copy = handle;
  EXPECT_EQ(copy.name(), handle.name());
  EXPECT_EQ(copy.info().name, handle.name());
  copy.state();
  copy.attempts();
  copy.TryResult();
  copy.future();
}

TEST(Semantics, S17_AllThatDoesNotBlockWorksInAllUserCodeOfATask) {
  EventLog places;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  RunTour(*supervisor, [&](std::string_view place, const TaskHandle& own) {
    CallAllThatDoesNotBlock(*supervisor, own);
    places.Add(std::string(place));
  });
  EXPECT_EQ(AsSet(places.Entries()), AsSet(GrandTourPlaces()));
}

// User code runs under no lock: while it is held up, another thread can call everything.
TEST(Semantics, S21_AllThatDoesNotBlockWorksForOthersWhileUserCodeIsHeldUp) {
  Recorder<std::string> held_up;
  Recorder<std::string> let_go;
  std::optional<TaskHandle> handle;
  Notification registered;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  auto others = std::async(std::launch::async, [&] {
    registered.Await("the tour");
    for (size_t i = 1;; ++i) {
      const std::string place = held_up.AwaitSize(i).at(i - 1);
      if (place == "end") return;
      CallAllThatDoesNotBlock(*supervisor, *handle);
      let_go.Add(place);
    }
  });
  RunTour(*supervisor, [&](std::string_view place, const TaskHandle& own) {
    static_cast<void>(own);
    if (!registered.HasHappened()) {
      handle = own;
      registered.Notify();
    }
    const std::string ticket = absl::StrCat(std::string(place), held_up.size());
    held_up.Add(ticket);
    let_go.AwaitEntry(ticket, [&](const std::string& entry) { return entry == ticket; });
  });
  held_up.Add("end");
  Await(others, "the other thread");
}

}  // namespace
}  // namespace foxtive::test
