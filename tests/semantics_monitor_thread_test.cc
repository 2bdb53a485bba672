// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S21: no user code on the monitor thread, whatever kind of code it is. Each piece of user code
// here notes the name of its thread; the monitor's is "foxtive-monitor".

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
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

using ::testing::IsSupersetOf;

constexpr std::string_view kMonitor = "foxtive-monitor";

std::string ThisThreadName() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof(name));
  return name;
}

// The names of all threads of this process.
std::vector<std::string> ThreadNames() {
  std::vector<std::string> names;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::ifstream file(thread.path() / "comm");
    std::string name;
    if (std::getline(file, name)) names.push_back(std::move(name));
  }
  return names;
}

// Else the tests would see nothing. It has another name while it starts threads.
void AwaitMonitor() {
  const auto limit = std::chrono::steady_clock::now() + kSafetyLimit;
  while (true) {
    const std::vector<std::string> names = ThreadNames();
    if (std::find(names.begin(), names.end(), kMonitor) != names.end()) return;
    if (std::chrono::steady_clock::now() > limit) DieWaitingFor("a thread with its name");
    std::this_thread::yield();
  }
}

// Which user code has run, and which of it on the monitor thread.
class Sightings {
 public:
  // To be called by user code.
  void Note(std::string_view kind) {
    kinds_.Add(std::string(kind));
    if (ThisThreadName() == kMonitor) on_monitor_.Add(std::string(kind));
  }

  void Await(std::string_view kind) const {
    kinds_.AwaitEntry(kind, [&](const std::string& entry) { return entry == kind; });
  }

  // Captured objects come and go.
  void Born() {
    std::lock_guard<std::mutex> guard(mutex_);
    ++alive_;
  }
  void Died() {
    std::lock_guard<std::mutex> guard(mutex_);
    if (--alive_ == 0) all_dead_.notify_all();
  }

  // The last owner of an exception may be a thread that has not yet left the task.
  void AwaitNoneAlive() {
    std::unique_lock<std::mutex> guard(mutex_);
    if (all_dead_.wait_for(guard, kSafetyLimit, [&] { return alive_ == 0; })) return;
    DieWaitingFor("the end of all that was captured");
  }

  void ExpectNoneOnTheMonitor() const { EXPECT_THAT(on_monitor_.Entries(), ::testing::IsEmpty()); }

  std::vector<std::string> kinds() const { return kinds_.Entries(); }

 private:
  EventLog kinds_;
  EventLog on_monitor_;
  std::mutex mutex_;
  std::condition_variable all_dead_;
  int alive_ = 0;  // guarded by mutex_
};

// Something to capture: its copies, moves and destructors are user code.
class Captured {
 public:
  Captured(Sightings& sightings, std::string name)
      : sightings_(&sightings), name_(std::move(name)) {
    sightings_->Born();
  }
  Captured(const Captured& other) : sightings_(other.sightings_), name_(other.name_) {
    sightings_->Born();
    sightings_->Note("copy of " + name_);
  }
  Captured(Captured&& other) noexcept : sightings_(other.sightings_), name_(other.name_) {
    sightings_->Born();
    sightings_->Note("move of " + name_);
  }
  ~Captured() {
    sightings_->Note("~" + name_);
    sightings_->Died();
  }

 private:
  Sightings* sightings_;
  std::string name_;
};

class NotingException : public std::exception {
 public:
  explicit NotingException(Sightings& sightings) : captured_(sightings, "exception") {}

 private:
  Captured captured_;
};

class MonitorThreadTest : public ::testing::Test {
 protected:
  MonitorThreadTest() { supervisor_ = MakeSupervisor(); }

  // All user code has run when the Supervisor is gone.
  void TearDown() override {
    AwaitMonitor();
    supervisor_.reset();
    sightings_.AwaitNoneAlive();
    sightings_.ExpectNoneOnTheMonitor();
  }

  Sightings sightings_;
  std::unique_ptr<Supervisor> supervisor_;
};

// A task that captures in each callable, and throws an exception of its own.
TaskSpec NotingSpec(std::string name, Sightings& sightings) {
  TaskSpec spec = Spec(std::move(name), [captured = Captured(sightings, "run"), &sightings] {
    throw NotingException(sightings);
  });
  spec.backoff =
      BackoffStrategy::Custom([captured = Captured(sightings, "backoff"), &sightings](int64_t) {
        sightings.Note("backoff");
        return absl::ZeroDuration();
      });
  spec.hooks.cleanup = [captured = Captured(sightings, "cleanup")] {};
  spec.hooks.on_shutdown = [captured = Captured(sightings, "on_shutdown")] {};
  return spec;
}

TEST_F(MonitorThreadTest, S21_NoHookAndNoCallback) {
  Latch third_attempt(3);
  const TaskHandle tour = Submit(*supervisor_, GrandTour("tour", [&](std::string_view place) {
    sightings_.Note(place);
    if (place == "run") third_attempt.CountDown();
  }));
  third_attempt.Await("the third attempt");
  tour.RequestStop();
  AwaitResult(tour);
  EXPECT_THAT(sightings_.kinds(), IsSupersetOf(GrandTourPlaces()));
}

TEST_F(MonitorThreadTest, S21_NoDestructorOfATaskThatEndsByItself) {
  TaskSpec spec = NotingSpec("task", sightings_);
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  AwaitResult(Submit(*supervisor_, std::move(spec)));
  sightings_.Await("~exception");
  EXPECT_THAT(sightings_.kinds(),
              IsSupersetOf({"~run", "~backoff", "~cleanup", "~on_shutdown", "backoff"}));
}

TEST_F(MonitorThreadTest, S21_NoDestructorOfATaskThatIsStoppedInBackoff) {
  TaskSpec spec = NotingSpec("task", sightings_);
  spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  AwaitState(handle, TaskState::kBackingOff);
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
}

TEST_F(MonitorThreadTest, S21_NoDestructorOfTasksThatNeverRan) {
  const TaskHandle registered = Register(*supervisor_, NotingSpec("registered", sightings_));
  EXPECT_TRUE(registered.RequestStop());
  AwaitResult(registered);
  Register(*supervisor_, NotingSpec("shut-down", sightings_));
  EXPECT_TRUE(supervisor_->Shutdown().ok());
}

TEST_F(MonitorThreadTest, S21_NoDestructorOfAQueuedTask) {
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 1;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  StuckWorker holds_the_lane;
  Submit(*supervisor, Spec("holder", holds_the_lane.Run()));
  holds_the_lane.AwaitEntered();
  const TaskHandle queued = Submit(*supervisor, NotingSpec("queued", sightings_));
  EXPECT_TRUE(queued.RequestStop());
  AwaitResult(queued);
}

TEST_F(MonitorThreadTest, S21_NoDestructorOfARefusedTask) {
  TaskSpec spec = NotingSpec("refused", sightings_);
  spec.stable_after = -absl::Seconds(1);
  EXPECT_FALSE(supervisor_->Submit(std::move(spec)).ok());
}

// Nobody holds a handle: whoever lets the last of the task go destroys its last exception.
TEST_F(MonitorThreadTest, S21_NoDestructorOfTheExceptionOfAForgottenTask) {
  for (int i = 0; i < 50; ++i) {
    TaskSpec spec = NotingSpec(absl::StrCat("task-", i), sightings_);
    spec.restart_policy = RestartPolicy::MaxAttempts(2);
    Submit(*supervisor_, std::move(spec));
  }
  supervisor_->RequestShutdown();
  EXPECT_TRUE(supervisor_->Shutdown(absl::InfiniteDuration()).ok());
}

// A handle that is let go while its task ends, so that either side may be the last.
TEST_F(MonitorThreadTest, S21_NoDestructorWhenAHandleIsDroppedAtTheEnd) {
  for (int i = 0; i < 200; ++i) {
    TaskSpec spec = NotingSpec("task", sightings_);
    spec.restart_policy = RestartPolicy::Never();
    AwaitResult(Submit(*supervisor_, std::move(spec)));
  }
}

// A registered task stays known until another one takes its name.
TEST_F(MonitorThreadTest, S21_NoDestructorOfARegisteredTaskWhoseNameIsTaken) {
  for (int i = 0; i < 20; ++i) {
    TaskSpec spec = NotingSpec("same-name", sightings_);
    spec.restart_policy = RestartPolicy::Never();
    Register(*supervisor_, std::move(spec));
    ASSERT_TRUE(supervisor_->StartAll().ok());
    ASSERT_TRUE(supervisor_->WaitAny().ok());
  }
}

TEST_F(MonitorThreadTest, S21_NoDestructorOfAnAbandonedTask) {
  StuckWorker worker;
  TaskSpec spec = NotingSpec("abandoned", sightings_);
  spec.run = [captured = Captured(sightings_, "run"), block = worker.Run()] { block(); };
  spec.stop_timeout = absl::ZeroDuration();
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  worker.AwaitEntered();
  EXPECT_TRUE(handle.RequestStop());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  worker.Release();
  AwaitState(handle, TaskState::kFinished);
}

// Lets the monitor wait while it tells of the end of a task.
class HoldingClock final : public Clock {
 public:
  int64_t NowNanos() const noexcept override {
    if (ThisThreadName() == kMonitor && is_telling_()) go_on_.Await("the late exception");
    return Clock::NowNanos();
  }

  // REQUIRES: no Supervisor has it.
  void HoldWhile(std::function<bool()> is_telling) { is_telling_ = std::move(is_telling); }
  void GoOn() { go_on_.Notify(); }

 private:
  std::function<bool()> is_telling_ = [] { return false; };
  Notification go_on_;
};

// Takes no event but the first, until it is destroyed.
class FullListener final : public EventListener {
 public:
  explicit FullListener(const StuckWorker& gate) : block_(gate.Run()) {}
  void OnEvent(const Event&) override { block_(); }

 private:
  std::function<void()> block_;
};

// While the monitor tells of the end the worker returns late, and what it throws takes the place of
// the former exception; and the event is lost.
TEST_F(MonitorThreadTest, S21_NoDestructorOfAnExceptionThatIsReplacedWhileATaskIsAbandoned) {
  auto clock = std::make_shared<HoldingClock>();
  StuckWorker listening, worker;
  std::atomic<Supervisor*> telling{nullptr};
  clock->HoldWhile([&] { return telling != nullptr && telling.load()->task_count() == 0; });
  SupervisorOptions options = OptionsWith(clock);
  options.listener = std::make_shared<FullListener>(listening);
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  AwaitResult(Submit(*supervisor, Spec("fills the queue", [&, left = 2000]() mutable {
    return left-- > 0 ? absl::UnavailableError("") : absl::OkStatus();
  })));
  listening.AwaitEntered();
  TaskSpec spec = Spec("task", [&, block = worker.Run(), first = true]() mutable {
    if (!std::exchange(first, false)) block();
    throw NotingException(sightings_);
  });
  spec.stop_timeout = absl::ZeroDuration();
  spec.hooks.on_exception = [&](const std::exception_ptr&, std::string_view, int64_t attempt) {
    if (attempt == 2) clock->GoOn();
  };
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  worker.AwaitEntered();
  telling = supervisor.get();
  EXPECT_TRUE(handle.RequestStop());
  while (supervisor->task_count() != 0) std::this_thread::yield();
  worker.Release();
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  AwaitState(handle, TaskState::kFinished);
  telling = nullptr;
  listening.Release();
}

TEST_F(MonitorThreadTest, S21_NoStopCallbackOfATokenThatOutlivesItsAttempt) {
  std::stop_token token;
  TaskSpec spec = Spec("task", [&](TaskContext& context) {
    token = context.stop_token();
    return absl::UnavailableError("refused");
  });
  spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  AwaitState(handle, TaskState::kBackingOff);
  const std::stop_callback on_stop(token, [&] { sightings_.Note("stop callback"); });
  EXPECT_TRUE(handle.RequestStop());
  sightings_.Await("stop callback");
}

}  // namespace
}  // namespace foxtive::test
