// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Who has nothing to do does nothing: no tick, no polling, however many tasks wait. Measured is how
// often the threads of this process, all but the one that measures, go to sleep in a window of real
// time; who never sleeps anew has never woken. One quiet window is enough, because whatever ticks
// has none; the first ones may be busy, until all threads have come to rest.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"

namespace foxtive {
namespace {

constexpr int kTasks = 10'000;
constexpr absl::Duration kWindow = absl::Seconds(1);
constexpr int kWindows = 20;

// The thread sanitizer has a thread of its own, with a tick of 100 ms.
#if defined(__SANITIZE_THREAD__)
constexpr int64_t kQuiet = 15;
#else
constexpr int64_t kQuiet = 0;
#endif

// The library writes a line for each failure: 10,000 of them are no help to anybody.
class SilentStderr {
 public:
  SilentStderr() : former_(dup(STDERR_FILENO)) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
  }
  ~SilentStderr() {
    dup2(former_, STDERR_FILENO);
    close(former_);
  }

 private:
  const int former_;
};

void ParkFor(absl::Duration duration) {
  Clock clock;
  Clock::Parker parker;
  clock.Park(parker, clock.NowNanos() + absl::ToInt64Nanoseconds(duration));
}

int64_t SleepsOf(int who) {
  rusage usage;
  getrusage(who, &usage);
  return usage.ru_nvcsw;
}

int64_t SleepsOfOthers() { return SleepsOf(RUSAGE_SELF) - SleepsOf(RUSAGE_THREAD); }

int64_t SleepsInAWindow() {
  const int64_t before = SleepsOfOthers();
  ParkFor(kWindow);
  return SleepsOfOthers() - before;
}

void ExpectAQuietWindow() {
  std::string busy;
  for (int i = 0; i < kWindows; ++i) {
    const int64_t sleeps = SleepsInAWindow();
    if (sleeps <= kQuiet) return;
    absl::StrAppend(&busy, " ", sleeps);
  }
  ADD_FAILURE() << "never quiet; wake-ups in windows of " << kWindow << ":" << busy;
}

TEST(IdleTest, TheYardstickSeesATick) {
  std::atomic<bool> stop{false};
  std::thread ticking([&] {
    while (!stop) ParkFor(absl::Milliseconds(10));
  });
  EXPECT_GT(SleepsInAWindow(), kQuiet);
  stop = true;
  ticking.join();
}

TEST(IdleTest, ASupervisorWithoutTasksSleeps) {
  Supervisor supervisor;
  ExpectAQuietWindow();
}

TEST(IdleTest, SleepingWorkersSleep) {
  const SilentStderr silent;
  std::latch running(20);
  Supervisor supervisor;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(supervisor
                    .Submit({.name = absl::StrCat("task-", i),
                             .run =
                                 [&running](TaskContext& context) {
                                   running.count_down();
                                   context.SleepFor(absl::InfiniteDuration());
                                 }})
                    .ok());
  }
  running.wait();
  ExpectAQuietWindow();
}

TEST(IdleTest, TenThousandTasksInALongBackoffSleepAndAreStopped) {
  const SilentStderr silent;
  std::latch failed(kTasks);
  auto supervisor = *Supervisor::Create({.max_concurrency = 4});
  std::vector<TaskHandle> handles;
  for (int i = 0; i < kTasks; ++i) {
    // No two deadlines are the same, as in real life.
    const absl::Duration delay = absl::Hours(1) + i * absl::Milliseconds(7);
    auto handle = supervisor->Submit({.name = absl::StrCat("task-", i),
                                      .run =
                                          [&failed] {
                                            failed.count_down();
                                            return absl::UnavailableError("refused");
                                          },
                                      .backoff = BackoffStrategy::Constant(delay)});
    ASSERT_TRUE(handle.ok()) << handle.status();
    handles.push_back(*handle);
  }
  failed.wait();
  ExpectAQuietWindow();
  for (const TaskHandle& handle : handles) ASSERT_EQ(handle.state(), TaskState::kBackingOff);

  EXPECT_TRUE(supervisor->Shutdown(absl::Minutes(1)).ok());
  for (const TaskHandle& handle : handles) {
    ASSERT_EQ(handle.TryResult()->final_status, SupervisionStatus::kManuallyStopped);
  }
}

}  // namespace
}  // namespace foxtive
