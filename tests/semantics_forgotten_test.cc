// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S21 where nobody holds a handle, so that the monitor is among the last to know the task: what the
// task captured and threw is destroyed elsewhere all the same, and it is destroyed.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

// What is counted of objects of the user.
struct Census {
  std::atomic<int> alive{0};
  std::atomic<int> born{0};
  std::atomic<int> seen_on_monitor{0};
};

// Its copies, moves and its destructor are user code.
class Citizen {
 public:
  explicit Citizen(std::shared_ptr<Census> census) : census_(std::move(census)) { Arrive(); }
  Citizen(const Citizen& other) : census_(other.census_) { Arrive(); }
  Citizen& operator=(const Citizen&) = delete;
  ~Citizen() {
    Look();
    --census_->alive;
  }

 private:
  void Arrive() {
    Look();
    ++census_->alive;
    ++census_->born;
  }
  void Look() {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof(name));
    if (std::string(name) == "foxtive-monitor") ++census_->seen_on_monitor;
  }

  std::shared_ptr<Census> census_;
};

class CountedException : public std::exception {
 public:
  explicit CountedException(std::shared_ptr<Census> census) : citizen_(std::move(census)) {}
  const char* what() const noexcept override {
    const Citizen looks(citizen_);
    return "counted";
  }

 private:
  Citizen citizen_;
};

class ForgottenTest : public ::testing::Test {
 protected:
  TaskSpec Throwing(std::string name) {
    TaskSpec spec =
        Spec(std::move(name), [census = census_, citizen = Citizen(census_)]() -> absl::Status {
          throw CountedException(census);
        });
    spec.hooks.cleanup = [citizen = Citizen(census_)] {};
    spec.hooks.on_shutdown = [citizen = Citizen(census_)] {};
    spec.backoff =
        BackoffStrategy::Custom([citizen = Citizen(census_)](int64_t) { return absl::Seconds(2); });
    return spec;
  }

  // Waits without keeping a handle.
  void AwaitBackoffOf(const std::string& name, int64_t attempts) {
    test::AwaitBackoff(supervisor_->Find(name).value(), attempts);
  }

  void AwaitNoTasks() {
    AwaitTrue("the end of all tasks", [this] { return supervisor_->task_count() == 0; });
  }

  template <typename Condition>
  static void AwaitTrue(std::string_view what, Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + kSafetyLimit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) DieWaitingFor(what);
      std::this_thread::yield();
    }
  }

  void TearDown() override {
    supervisor_.reset();
    AwaitTrue("the end of all objects", [this] { return census_->alive == 0; });
    EXPECT_GT(census_->born, 0);
    EXPECT_EQ(census_->seen_on_monitor, 0);
  }

  std::shared_ptr<Census> census_ = std::make_shared<Census>();
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor_ = MakeSupervisor({.clock = clock_});
};

TEST_F(ForgottenTest, S21_ATaskThatTheTimerOfTheMonitorRestarts) {
  for (int round = 0; round < 20; ++round) {
    TaskSpec spec = Throwing("task");
    spec.restart_policy = RestartPolicy::MaxAttempts(3);
    Submit(*supervisor_, std::move(spec));
    for (int64_t attempts : {1, 2}) {
      AwaitBackoffOf("task", attempts);
      clock_->Advance(absl::Seconds(2));
    }
    AwaitNoTasks();
  }
}

TEST_F(ForgottenTest, S21_ATaskThatIsStoppedInBackoff) {
  for (int round = 0; round < 50; ++round) {
    Submit(*supervisor_, Throwing("task"));
    AwaitBackoffOf("task", 1);
    EXPECT_TRUE(supervisor_->Find("task").value().RequestStop());
    AwaitNoTasks();
  }
}

// The stop and the timer come at once; the monitor sees to both.
TEST_F(ForgottenTest, S21_ATaskThatIsStoppedWhenItsDelayIsOver) {
  for (int round = 0; round < 50; ++round) {
    Submit(*supervisor_, Throwing("task"));
    AwaitBackoffOf("task", 1);
    const TaskHandle handle = supervisor_->Find("task").value();
    clock_->Advance(absl::Seconds(2));
    EXPECT_TRUE(handle.RequestStop());
    AwaitNoTasks();
  }
}

TEST_F(ForgottenTest, S21_TasksThatTheMonitorStopsForAShutdown) {
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 4; ++i) Submit(*supervisor_, Throwing(absl::StrCat("task-", i)));
    for (int i = 0; i < 4; ++i) AwaitBackoffOf(absl::StrCat("task-", i), 1);
    for (int i = 0; i < 4; ++i) Register(*supervisor_, Throwing(absl::StrCat("registered-", i)));
    supervisor_->RequestShutdown();
    if (round % 2 == 0) AwaitNoTasks();
    supervisor_ = MakeSupervisor({.clock = clock_});
  }
}

// The last one who knows it is its lane, long after the monitor is gone.
TEST_F(ForgottenTest, S21_ATaskThatReturnsAfterTheSupervisorIsGone) {
  StuckWorker worker;
  TaskSpec spec = Throwing("task");
  spec.run = [census = census_, citizen = Citizen(census_),
              block = worker.Run()]() -> absl::Status {
    block();
    throw CountedException(census);
  };
  Submit(*supervisor_, std::move(spec));
  worker.AwaitEntered();
  EXPECT_FALSE(supervisor_->Shutdown(absl::ZeroDuration()).ok());
  supervisor_.reset();
  EXPECT_GT(census_->alive, 0);
  worker.Release();
}

// The monitor itself publishes its result, with an exception in it.
TEST_F(ForgottenTest, S21_ATaskThatTheTimerOfTheMonitorAbandons) {
  for (int round = 0; round < 20; ++round) {
    StuckWorker worker;
    TaskSpec spec = Throwing("task");
    spec.run = [census = census_, citizen = Citizen(census_),
                block = worker.Run()](TaskContext& context) -> absl::Status {
      if (context.attempt() == 2) block();
      throw CountedException(census);
    };
    spec.stop_timeout = absl::Seconds(3);
    Submit(*supervisor_, std::move(spec));
    AwaitBackoffOf("task", 1);
    clock_->Advance(absl::Seconds(2));
    worker.AwaitEntered();
    EXPECT_TRUE(supervisor_->Find("task").value().RequestStop());
    clock_->AwaitDeadline(clock_->Now() + absl::Seconds(3));
    clock_->Advance(absl::Seconds(3));
    AwaitNoTasks();
  }
}

// A task that is registered is kept for WaitAny, and by the monitor while its timer runs.
TEST_F(ForgottenTest, S21_ARegisteredTaskWhoseResultIsHandedOut) {
  for (int round = 0; round < 20; ++round) {
    TaskSpec spec = Throwing("task");
    spec.restart_policy = RestartPolicy::MaxAttempts(2);
    Register(*supervisor_, std::move(spec));
    ASSERT_TRUE(supervisor_->StartAll().ok());
    AwaitBackoffOf("task", 1);
    if (round % 2 == 0) {
      clock_->Advance(absl::Seconds(2));
    } else {
      supervisor_->Find("task").value().RequestStop();
    }
    ASSERT_TRUE(supervisor_->WaitAny().ok());
  }
}

}  // namespace
}  // namespace foxtive::test
