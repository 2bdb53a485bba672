// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S20: names that are refused, what becomes of a refused task, and what goes on after a shutdown.

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Semantics, S20_ANameWithAControlCharacterIsRefusedAndShownEscaped) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (int byte = 0; byte < 0x80; ++byte) {
    if (byte >= 0x20 && byte != 0x7f) continue;
    for (const char* around : {"", "a"}) {
      const std::string name = absl::StrCat(around, std::string(1, static_cast<char>(byte)), "b");
      const absl::Status status = supervisor->Submit(Spec(name, [] {})).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << byte;
      EXPECT_THAT(std::string(status.message()),
                  AllOf(HasSubstr("name"), HasSubstr(absl::CEscape(name))));
      EXPECT_EQ(supervisor->Register(Spec(name, [] {})).status().code(),
                absl::StatusCode::kInvalidArgument);
    }
  }
  EXPECT_TRUE(supervisor->ListTasks().empty());
}

TEST(Semantics, S20_ANameOfAnyOtherCharactersIsTaken) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  for (const std::string& name :
       {std::string(" "), std::string("~ a b"), std::string("Ümläut ✓"), std::string(10000, 'x')}) {
    const TaskHandle handle = Submit(*supervisor, Spec(name, [] {}));
    EXPECT_EQ(handle.name(), name);
    EXPECT_EQ(AwaitResult(handle).task_name, name);
  }
}

// Notes on which thread it is destroyed.
class NotesItsEnd {
 public:
  NotesItsEnd(Recorder<std::thread::id>& ends) : ends_(&ends) {}
  NotesItsEnd(NotesItsEnd&& other) noexcept : ends_(std::exchange(other.ends_, nullptr)) {}
  ~NotesItsEnd() {
    if (ends_ != nullptr) ends_->Add(std::this_thread::get_id());
  }

 private:
  Recorder<std::thread::id>* ends_;
};

// A task with captures in its worker, a hook and its backoff.
TaskSpec Capturing(std::string name, Recorder<std::thread::id>& ends) {
  TaskSpec spec = Spec(std::move(name), [end = NotesItsEnd(ends)] {});
  spec.hooks.cleanup = [end = NotesItsEnd(ends)] {};
  auto shared = std::make_shared<NotesItsEnd>(ends);
  spec.backoff = BackoffStrategy::Custom([shared](int64_t) { return absl::ZeroDuration(); });
  return spec;
}

void ExpectRefusedHere(const std::function<absl::Status(TaskSpec)>& call, std::string name,
                       const std::function<void(TaskSpec&)>& change, absl::StatusCode code) {
  Recorder<std::thread::id> ends;
  {
    TaskSpec spec = Capturing(std::move(name), ends);
    change(spec);
    EXPECT_EQ(call(std::move(spec)).code(), code);
  }
  ASSERT_EQ(ends.size(), 3u);
  for (const std::thread::id& thread : ends.Entries()) {
    EXPECT_EQ(thread, std::this_thread::get_id());
  }
}

TEST(Semantics, S20_WhatARefusedTaskCapturedIsDestroyedOnTheThreadOfTheCaller) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const std::function<absl::Status(TaskSpec)> calls[] = {
      [&](TaskSpec spec) { return supervisor->Submit(std::move(spec)).status(); },
      [&](TaskSpec spec) { return supervisor->Register(std::move(spec)).status(); }};
  const auto as_it_is = [](TaskSpec&) {};
  Register(*supervisor, Spec("in-use", [] {}));
  for (const auto& call : calls) {
    ExpectRefusedHere(call, "", as_it_is, absl::StatusCode::kInvalidArgument);
    ExpectRefusedHere(
        call, "task", [](TaskSpec& spec) { spec.stable_after = -absl::Seconds(1); },
        absl::StatusCode::kInvalidArgument);
    ExpectRefusedHere(call, "in-use", as_it_is, absl::StatusCode::kAlreadyExists);
  }
  ASSERT_TRUE(supervisor->Shutdown().ok());
  for (const auto& call : calls) {
    ExpectRefusedHere(call, "late", as_it_is, absl::StatusCode::kFailedPrecondition);
  }
}

TEST(Semantics, S20_ARefusedTaskIsNeverFoundAndItsNameStaysFree) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  TaskSpec spec = Spec("task", [] {});
  spec.restart_policy = RestartPolicy::MaxAttempts(0);
  EXPECT_FALSE(supervisor->Register(std::move(spec)).ok());
  EXPECT_EQ(supervisor->Find("task").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(supervisor->StartAll().ok());
  EXPECT_EQ(supervisor->WaitAny().status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(supervisor->Register(Spec("task", [] {})).ok());
}

// Refusing the second one does nothing to the first.
TEST(Semantics, S20_ARefusedNameDisturbsNotTheTaskThatHasIt) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  StuckWorker worker;
  const TaskHandle handle = Submit(*supervisor, Spec("task", worker.Run()));
  worker.AwaitEntered();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(supervisor->Submit(Spec("task", [] {})).status().code(),
              absl::StatusCode::kAlreadyExists);
  }
  EXPECT_TRUE(supervisor->Find("task").value() == handle);
  EXPECT_EQ(supervisor->task_count(), 1u);
  EXPECT_EQ(handle.state(), TaskState::kRunning);
  worker.Release();
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
}

TEST(Semantics, S20_AfterAShutdownWaitsListsAndHandlesGoOn) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle first = Register(*supervisor, Spec("first", [] {}));
  ASSERT_TRUE(supervisor->StartAll().ok());
  AwaitResult(first);
  const TaskHandle second = Register(*supervisor, Spec("second", [] {}));
  ASSERT_TRUE(supervisor->Shutdown().ok());
  EXPECT_EQ(supervisor->StartAll().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(supervisor->Find("second").value() == second);
  EXPECT_TRUE(supervisor->ListTasks().empty());
  const absl::StatusOr<SupervisionResult> any = supervisor->WaitAny();
  ASSERT_TRUE(any.ok()) << any.status();
  EXPECT_EQ(any->task_name, "first");
  EXPECT_EQ(supervisor->WaitAll().value().size(), 1u);
  EXPECT_EQ(supervisor->WaitAny().status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(second.Wait().value().final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(second.attempts(), 0);
  EXPECT_FALSE(second.RequestStop());
  EXPECT_TRUE(supervisor->Shutdown().ok());
}

}  // namespace
}  // namespace foxtive::test
