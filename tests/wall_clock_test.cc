// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S10: the wall clock is set, by an hour or by years, forward and back, again and again, while
// tasks restart and threads wait. No delay and no timeout follows it: no wait of the library, or of
// what it stands on, is one by the wall clock, and none ends early.

#include "tests/support/wall_clock.h"

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

constexpr absl::Duration kYear = absl::Hours(365 * 24);

// Sets the wall clock all the time.
class LyingClock {
 public:
  ~LyingClock() {
    stop_ = true;
    thread_.join();
    SetWallClock(absl::ZeroDuration());
  }

  // Blocks until it has been set `times` times from now on.
  void AwaitSet(int64_t times) const {
    const int64_t enough = set_ + times;
    while (set_ < enough) std::this_thread::yield();
  }

 private:
  void Run() {
    constexpr absl::Duration kLies[] = {absl::Hours(1), -absl::Hours(1),  kYear,
                                        -kYear,         absl::Seconds(1), absl::ZeroDuration()};
    while (!stop_) {
      for (const absl::Duration ahead : kLies) {
        SetWallClock(ahead);
        ++set_;
        std::this_thread::yield();
      }
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<int64_t> set_{0};
  std::thread thread_{[this] { Run(); }};
};

// How long `call` lasts.
absl::Duration Lasts(const std::function<void()>& call) {
  const Clock clock;
  const int64_t began = clock.NowNanos();
  call();
  return absl::Nanoseconds(clock.NowNanos() - began);
}

// --- Does it see what it is to see?

constexpr timespec kLongAgo = {1, 0};

void WaitInEveryWayOfTheWallClock() {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  pthread_mutex_lock(&mutex);
  EXPECT_EQ(pthread_cond_timedwait(&condition, &mutex, &kLongAgo), ETIMEDOUT);
  EXPECT_EQ(pthread_cond_clockwait(&condition, &mutex, CLOCK_REALTIME, &kLongAgo), ETIMEDOUT);
  pthread_mutex_unlock(&mutex);
  EXPECT_EQ(pthread_mutex_timedlock(&mutex, &kLongAgo), 0);
  pthread_mutex_unlock(&mutex);
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  EXPECT_NE(sem_timedwait(&semaphore, &kLongAgo), 0);
  EXPECT_NE(sem_clockwait(&semaphore, CLOCK_REALTIME, &kLongAgo), 0);
  sem_destroy(&semaphore);
  int32_t word = 0;
  EXPECT_NE(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0,
                    &kLongAgo, nullptr, FUTEX_BITSET_MATCH_ANY),
            0);
}

TEST(WallClockTest, TheYardstickCountsEveryWaitThatFollowsTheWallClock) {
  const int64_t waits = WaitsByWallClock();
  const int64_t others = WaitsByOtherClocks();
  WaitInEveryWayOfTheWallClock();
  EXPECT_EQ(WaitsByWallClock(), waits + 6);
  EXPECT_EQ(WaitsByOtherClocks(), others);
  Clock clock;
  Clock::Parker parker;
  EXPECT_FALSE(clock.Park(parker, clock.NowNanos() + 1'000'000));
  EXPECT_EQ(WaitsByWallClock(), waits + 6);
  EXPECT_GT(WaitsByOtherClocks(), others) << "the library's own wait passes by here too";
}

TEST(WallClockTest, TheWallClockLies) {
  const int64_t reads = WallClockReads();
  SetWallClock(kYear);
  timespec ahead;
  clock_gettime(CLOCK_REALTIME, &ahead);
  SetWallClock(absl::ZeroDuration());
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  EXPECT_EQ(WallClockReads(), reads + 2);
  EXPECT_GT(absl::DurationFromTimespec(ahead), absl::DurationFromTimespec(now) + kYear / 2);
}

// --- The promise

// Notes when attempts begin and end.
class Attempts {
 public:
  RunFunction Failing() {
    return [this]() -> absl::Status {
      Note();
      const absl::Status error = absl::UnavailableError("none");
      Note();
      return error;
    };
  }

  // Between the end of one attempt and the beginning of the next.
  std::vector<absl::Duration> Delays() const {
    const std::vector<int64_t> times = times_.Entries();
    std::vector<absl::Duration> delays;
    for (size_t i = 2; i < times.size(); i += 2) {
      delays.push_back(absl::Nanoseconds(times[i] - times[i - 1]));
    }
    return delays;
  }

 private:
  void Note() { times_.Add(Clock().NowNanos()); }

  Recorder<int64_t> times_;
};

TEST(WallClockTest, S10_BackoffsAreWaitedOutWhateverTheWallClockSays) {
  constexpr absl::Duration kDelay = absl::Milliseconds(3);
  constexpr int kAttempts = 30;
  Attempts attempts;
  const LyingClock clock;
  Supervisor supervisor;
  TaskSpec spec = Spec("task", attempts.Failing());
  spec.restart_policy = RestartPolicy::MaxAttempts(kAttempts);
  spec.backoff = BackoffStrategy::Constant(kDelay);
  const SupervisionResult result = AwaitResult(Submit(supervisor, std::move(spec)));
  EXPECT_EQ(result.total_attempts, kAttempts);
  EXPECT_GE(result.elapsed, (kAttempts - 1) * kDelay);
  EXPECT_LT(result.elapsed, absl::Hours(1));
  EXPECT_EQ(attempts.Delays().size(), size_t{kAttempts - 1});
  for (const absl::Duration delay : attempts.Delays()) EXPECT_GE(delay, kDelay);
}

TEST(WallClockTest, S10_TimeoutsAreWaitedOutWhateverTheWallClockSays) {
  constexpr absl::Duration kTimeout = absl::Milliseconds(5);
  const LyingClock clock;
  Supervisor supervisor;
  StuckWorker worker;
  const TaskHandle handle = Register(supervisor, Spec("stuck", worker.Run()));
  ASSERT_TRUE(supervisor.StartAll().ok());
  worker.AwaitEntered();
  const auto expect_timeout = [&](const std::function<absl::Status()>& call) {
    for (int i = 0; i < 5; ++i) {
      absl::Status status;
      const absl::Duration lasted = Lasts([&] { status = call(); });
      EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
      EXPECT_GE(lasted, kTimeout);
    }
  };
  expect_timeout([&] { return handle.Wait(kTimeout).status(); });
  expect_timeout([&] { return supervisor.WaitAny(kTimeout).status(); });
  expect_timeout([&] { return supervisor.WaitAll(kTimeout).status(); });
  AwaitResult(Submit(supervisor, Spec("sleeper", [&](TaskContext& context) {
                       EXPECT_GE(Lasts([&] { EXPECT_TRUE(context.SleepFor(kTimeout)); }), kTimeout);
                     })));
  // The first one abandons the worker, so the others have nothing to wait for.
  const absl::Duration lasted = Lasts([&] {
    EXPECT_EQ(supervisor.Shutdown(kTimeout).code(), absl::StatusCode::kDeadlineExceeded);
  });
  EXPECT_GE(lasted, kTimeout);
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
}

TEST(WallClockTest, S15_StopTimeoutsAreWaitedOutWhateverTheWallClockSays) {
  constexpr absl::Duration kTimeout = absl::Milliseconds(5);
  const LyingClock clock;
  Supervisor supervisor;
  for (int i = 0; i < 5; ++i) {
    StuckWorker worker;
    TaskSpec spec = Spec(absl::StrCat("stuck ", i), worker.Run());
    spec.stop_timeout = kTimeout;
    const TaskHandle handle = Submit(supervisor, std::move(spec));
    worker.AwaitEntered();
    const absl::Duration lasted = Lasts([&] {
      EXPECT_TRUE(handle.RequestStop());
      EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
    });
    EXPECT_GE(lasted, kTimeout);
  }
}

// What an event says of the time of day is what the wall clock says, and of the Supervisor's age
// what it is.
TEST(WallClockTest, S26_OnlyTheWallTimeOfAnEventFollowsTheWallClock) {
  struct Times {
    absl::Time wall_time;
    absl::Duration uptime;
  };
  struct Listener : EventListener {
    EventDetail detail() const override { return EventDetail::kEverything; }
    void OnEvent(const Event& event) override {
      if (event.kind == EventKind::kTaskOver) times.Add({event.wall_time, event.uptime});
    }
    Recorder<Times> times;
  };
  const auto listener = std::make_shared<Listener>();
  SupervisorOptions options;
  options.listener = listener;
  const std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  const auto after_a_task = [&](const char* name) {
    const size_t known = listener->times.size();
    AwaitResult(Submit(*supervisor, Spec(name, [] {})));
    return listener->times.AwaitSize(known + 1).back();
  };
  const Times before = after_a_task("before");
  SetWallClock(-kYear);
  const Times back = after_a_task("back");
  SetWallClock(kYear);
  const Times ahead = after_a_task("ahead");
  SetWallClock(absl::ZeroDuration());
  EXPECT_LT(back.wall_time, before.wall_time - kYear / 2);
  EXPECT_GT(ahead.wall_time, before.wall_time + kYear / 2);
  EXPECT_GE(back.uptime, before.uptime);
  EXPECT_GE(ahead.uptime, back.uptime);
  EXPECT_LT(ahead.uptime, absl::Hours(1));
}

// All that waits, at once, from the first thread to the last: in a Supervisor of its own, so that
// its beginning and its end are among it.
TEST(WallClockTest, S10_NoWaitFollowsTheWallClock) {
  const int64_t waits = WaitsByWallClock();
  const int64_t others = WaitsByOtherClocks();
  {
    const LyingClock clock;
    Supervisor supervisor;
    for (int i = 0; i < 20; ++i) {
      TaskSpec spec = Spec(absl::StrCat("task ", i), [](TaskContext& context) -> absl::Status {
        context.SleepFor(absl::Milliseconds(1));
        return absl::UnavailableError("none");
      });
      spec.initial_delay = absl::Milliseconds(1);
      spec.restart_policy = RestartPolicy::MaxAttempts(10);
      spec.backoff = BackoffStrategy::Constant(absl::Milliseconds(2)).WithJitter(0.5);
      Register(supervisor, std::move(spec));
    }
    ASSERT_TRUE(supervisor.StartAll().ok());
    clock.AwaitSet(10);
    EXPECT_TRUE(supervisor.WaitAny(absl::Hours(1)).ok());
    EXPECT_EQ(supervisor.WaitAll(absl::Hours(1)).value().size(), 19u);
    EXPECT_TRUE(supervisor.Shutdown(absl::Hours(1)).ok());
  }
  EXPECT_EQ(WaitsByWallClock(), waits);
  EXPECT_GT(WaitsByOtherClocks(), others + 20);
}

}  // namespace
}  // namespace foxtive::test
