// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S17: an exception brings user code along, its `what()` and its destructor. What a worker may not
// do, it may not either; all that does not block works.

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

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

using ::testing::HasSubstr;

using Visit = std::function<void(const std::string& place)>;

// Visits where its own code is called.
class VisitingException : public std::exception {
 public:
  explicit VisitingException(Visit visit)
      : end_(nullptr, [visit](std::nullptr_t) { visit("destructor"); }), visit_(visit) {}
  const char* what() const noexcept override {
    visit_("what");
    return "visited";
  }

 private:
  std::shared_ptr<void> end_;
  Visit visit_;
};

// Without events, which keep exceptions until they are delivered.
std::unique_ptr<Supervisor> MakeSilentSupervisor() {
  SupervisorOptions options;
  options.listener = nullptr;
  return MakeSupervisor(std::move(options));
}

class ExceptionCodeTest : public ::testing::Test {
 protected:
  // Throws three of them; each but the last one is destroyed where the next one is counted.
  void Run(const std::function<void(const TaskHandle& own)>& visit) {
    TaskSpec spec = Spec("task", [this, visit]() -> absl::Status {
      throw VisitingException([this, visit, over = over_](const std::string& place) {
        if (*over) return;
        const absl::StatusOr<TaskHandle> own = supervisor_->Find("task");
        if (!own.ok()) return;  // the last one, after the end
        places_.Add(place);
        visit(*own);
      });
    });
    spec.restart_policy = RestartPolicy::MaxAttempts(3);
    const TaskHandle handle = Submit(*supervisor_, std::move(spec));
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kMaxAttemptsReached);
    *over_ = true;
    EXPECT_THAT(places_.Entries(), ::testing::IsSupersetOf({"what", "destructor"}));
  }

  EventLog places_;
  // Owned by the exceptions too: the last one may be destroyed after the test.
  const std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Supervisor> supervisor_ = MakeSilentSupervisor();
};

TEST_F(ExceptionCodeTest, S17_WaitingForOneselfIsRefused) {
  Recorder<absl::Status> answers;
  Run([&](const TaskHandle& own) {
    answers.Add(supervisor_->WaitAny().status());
    answers.Add(supervisor_->WaitAll().status());
    answers.Add(supervisor_->Shutdown());
    answers.Add(supervisor_->Shutdown(absl::ZeroDuration()));
    answers.Add(own.Wait().status());
  });
  for (const absl::Status& answer : answers.Entries()) {
    EXPECT_EQ(answer.code(), absl::StatusCode::kFailedPrecondition) << answer;
    EXPECT_THAT(std::string(answer.message()), HasSubstr("task"));
  }
  EXPECT_TRUE(supervisor_->Submit(Spec("after", [] {})).ok()) << "a refused Shutdown stops nothing";
}

TEST_F(ExceptionCodeTest, S17_AllThatDoesNotBlockWorks) {
  std::atomic<int> next{0};
  Run([&](const TaskHandle& own) {
    const std::string number = absl::StrCat(next++);
    EXPECT_TRUE(supervisor_->Submit(Spec("submitted-" + number, [] {})).ok());
    EXPECT_TRUE(supervisor_->Register(Spec("registered-" + number, [] {})).ok());
    EXPECT_TRUE(supervisor_->StartAll().ok());
    EXPECT_TRUE(supervisor_->Find("task").ok());
    EXPECT_GE(supervisor_->ListTasks().size(), 1u);
    EXPECT_GE(supervisor_->task_count(), 1u);
    EXPECT_EQ(own.info().name, "task");
    EXPECT_GE(own.attempts(), 1);
    EXPECT_FALSE(own.TryResult().has_value());
    own.state();
    own.future();
  });
}

TEST_F(ExceptionCodeTest, S13_AStopFromItIsAnswered) {
  std::atomic<int> accepted{0};
  TaskSpec spec = Spec("task", [&]() -> absl::Status {
    throw VisitingException([&](const std::string& place) {
      if (place != "what" || accepted > 0) return;
      if (supervisor_->Find("task").value().RequestStop()) ++accepted;
    });
  });
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(AwaitResult(handle).total_attempts, 1);
}

}  // namespace
}  // namespace foxtive::test
