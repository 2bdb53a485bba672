// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The library in a process that is no good to it: oneTBB taken by others, one core, two hundred
// busy threads, a process that is stopped for seconds, signals by the thousand, workers that leave
// their thread in any state. Each time the same service has to be served to its end, however long
// it takes. Each case has a process of its own. Run by tests/deep.sh.

#include "tests/support/host.h"

#include <fenv.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <clocale>
#include <cstdint>
#include <cstdlib>
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
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

constexpr int kTasks = 8;
constexpr int kAttempts = 20;
constexpr absl::Duration kDelay = absl::Milliseconds(2);

std::unique_ptr<Supervisor> Make(int max_concurrency) {
  SupervisorOptions options;
  options.max_concurrency = max_concurrency;
  options.listener = nullptr;
  return MakeSupervisor(std::move(options));
}

// Tasks that fail again and again, none early; one for each lane that waits until it is stopped;
// and one that ends. `visit` is called in each attempt.
void Serve(
    int max_concurrency, const std::function<void()>& visit = [] {}) {
  const std::unique_ptr<Supervisor> supervisor = Make(max_concurrency);
  std::atomic<int> early{0};
  std::vector<TaskHandle> flapping;
  for (int i = 0; i < kTasks; ++i) {
    TaskSpec spec = Spec(absl::StrCat("flapping ", i),
                         [&early, &visit, before = int64_t{0}]() mutable -> absl::Status {
                           const Clock clock;
                           const int64_t due = before + absl::ToInt64Nanoseconds(kDelay);
                           if (before > 0 && clock.NowNanos() < due) ++early;
                           visit();
                           absl::Status error = absl::UnavailableError("none");
                           before = clock.NowNanos();
                           return error;
                         });
    spec.restart_policy = RestartPolicy::MaxAttempts(kAttempts);
    spec.backoff = BackoffStrategy::Constant(kDelay);
    flapping.push_back(Submit(*supervisor, std::move(spec)));
  }
  for (const TaskHandle& handle : flapping) {
    EXPECT_EQ(AwaitResult(handle).total_attempts, kAttempts);
  }
  EXPECT_EQ(early, 0);
  std::vector<TaskHandle> waiting;
  for (int i = 0; i < max_concurrency; ++i) {
    waiting.push_back(
        Submit(*supervisor, Spec(absl::StrCat("waiting ", i), [](TaskContext& context) {
          context.SleepFor(absl::InfiniteDuration());
        })));
  }
  for (const TaskHandle& handle : waiting) AwaitRunning(handle);
  for (const TaskHandle& handle : waiting) EXPECT_TRUE(handle.RequestStop());
  for (const TaskHandle& handle : waiting) {
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  }
  AwaitResult(Submit(*supervisor, Spec("last", [] {})));
  EXPECT_TRUE(supervisor->Shutdown().ok());
}

void ServeWithFewAndManyLanes() {
  for (const int max_concurrency : {1, 8, 64}) Serve(max_concurrency);
}

// Runs the case in a process of its own.
#define FOXTIVE_HOSTILE(name)                                                  \
  TEST(HostileHostTest, name) {                                                \
    EXPECT_THAT(RunInChild("HostileHostTest.DISABLED_" #name), ChildPassed()); \
  }                                                                            \
  TEST(HostileHostTest, DISABLED_##name)

// --- oneTBB is taken.

FOXTIVE_HOSTILE(HostArenaFullOfBlockingTasks) {
  const BlockedHost host(64);
  ServeWithFewAndManyLanes();
}

FOXTIVE_HOSTILE(HostArenaOfHighPriorityFullOfBlockingTasks) {
  const BlockedHost host(64, /*high_priority=*/true);
  ServeWithFewAndManyLanes();
}

FOXTIVE_HOSTILE(HostArenasThatFillWhileLanesRest) {
  const std::unique_ptr<Supervisor> supervisor = Make(8);
  Meeting(*supervisor, 8).AwaitOver();
  const BlockedHost normal(64);
  const BlockedHost high(64, /*high_priority=*/true);
  Meeting(*supervisor, 8).AwaitOver();
  ServeWithFewAndManyLanes();
}

FOXTIVE_HOSTILE(HostLoopsAParallelForOnAllCores) {
  const BusyHost host;
  ServeWithFewAndManyLanes();
}

FOXTIVE_HOSTILE(AControlThatComesAndGoesAllTheTime) {
  std::atomic<bool> stop{false};
  std::thread host([&stop] {
    while (!stop) {
      const HostControl control(1);
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    }
  });
  ServeWithFewAndManyLanes();
  stop = true;
  host.join();
}

// --- The machine is busy, or small.

FOXTIVE_HOSTILE(OneCore) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  ServeWithFewAndManyLanes();
}

FOXTIVE_HOSTILE(TwoHundredBusyThreads) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 200; ++i) {
    busy.emplace_back([&stop] {
      while (!stop) {
      }
    });
  }
  Serve(1);
  Serve(8);
  stop = true;
  for (std::thread& thread : busy) thread.join();
}

// --- The process is stopped.

// Stops this process for so long, from a child that has nothing to do with the library.
void StopThisProcessFor(absl::Duration duration) {
  const pid_t stopped = getpid();
  const pid_t stopper = fork();
  Require(stopper >= 0, "fork");
  if (stopper == 0) {
    kill(stopped, SIGSTOP);
    poll(nullptr, 0, static_cast<int>(absl::ToInt64Milliseconds(duration)));
    kill(stopped, SIGCONT);
    _exit(0);
  }
  Require(waitpid(stopper, nullptr, 0) == stopper, "waitpid");
}

// Delays and timeouts that were over meanwhile are so once: nothing is caught up.
FOXTIVE_HOSTILE(TheProcessIsStoppedForFiveSeconds) {
  const std::unique_ptr<Supervisor> supervisor = Make(8);
  std::atomic<int> attempts{0};
  TaskSpec beats = Spec("beats", [&attempts]() -> absl::Status {
    ++attempts;
    return absl::UnavailableError("none");
  });
  beats.backoff = BackoffStrategy::Constant(absl::Seconds(2));
  const TaskHandle beating = Submit(*supervisor, std::move(beats));
  const TaskHandle sleeping = Submit(*supervisor, Spec("sleeps", [](TaskContext& context) {
    EXPECT_TRUE(context.SleepFor(absl::Seconds(1)));
  }));
  // Its heartbeat of five seconds ago is one that was missed, and no sign that it hangs.
  TaskSpec pulse = Spec("pulse", [](TaskContext& context) {
    while (context.SleepFor(absl::Milliseconds(100))) context.Heartbeat();
  });
  pulse.heartbeat_timeout = absl::Seconds(3);
  pulse.on_stuck = OnStuck::kRestart;
  const TaskHandle pulsing = Submit(*supervisor, std::move(pulse));
  while (attempts == 0 || pulsing.attempts() == 0) std::this_thread::yield();
  const Clock clock;
  const int64_t began = clock.NowNanos();
  StopThisProcessFor(absl::Seconds(5));
  AwaitResult(sleeping);
  while (attempts < 2) std::this_thread::yield();
  // Two seconds after the second attempt, which came after the five.
  while (attempts < 3) std::this_thread::yield();
  EXPECT_GE(absl::Nanoseconds(clock.NowNanos() - began), absl::Seconds(7));
  EXPECT_EQ(pulsing.attempts(), 1);
  EXPECT_EQ(pulsing.info().stuck_for, absl::ZeroDuration());
  EXPECT_TRUE(pulsing.RequestStop());
  EXPECT_TRUE(beating.RequestStop());
  AwaitResult(beating);
  Serve(8);
}

// --- Signals.

std::atomic<int64_t> g_signals{0};
void CountSignal(int) { ++g_signals; }

// Of the process, and at each thread that waits for a task: a handler without SA_RESTART.
FOXTIVE_HOSTILE(SignalsByTheThousand) {
  struct sigaction action = {};
  action.sa_handler = &CountSignal;
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  const std::unique_ptr<Supervisor> supervisor = Make(8);
  StuckWorker worker;
  const TaskHandle handle = Submit(*supervisor, Spec("stuck", worker.Run()));
  std::atomic<int> waiting{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      ++waiting;
      EXPECT_TRUE(handle.Wait().ok());
      --waiting;
    });
  }
  while (waiting < 4) std::this_thread::yield();
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    while (!stop) {
      kill(getpid(), SIGUSR1);
      for (std::thread& waiter : waiters) pthread_kill(waiter.native_handle(), SIGUSR1);
    }
  });
  Serve(8);
  while (g_signals < 5000) std::this_thread::yield();
  EXPECT_EQ(waiting, 4) << "no signal ends a wait";
  stop = true;
  sender.join();
  worker.Release();
  for (std::thread& waiter : waiters) waiter.join();
}

// --- Workers that do to their thread what they can.

FOXTIVE_HOSTILE(WorkersThatChangeTheirThread) {
  std::atomic<unsigned> calls{0};
  Serve(4, [&calls] {
    constexpr int kRounding[] = {FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO, FE_TONEAREST};
    fesetround(kRounding[++calls % 4]);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(calls % 2 == 0 ? SIG_BLOCK : SIG_UNBLOCK, &all, nullptr);
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
    uselocale(newlocale(LC_ALL_MASK, "C", nullptr));
    pthread_setname_np(pthread_self(), "somebody else");
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
    errno = ENOENT;
  });
}

FOXTIVE_HOSTILE(WorkersThatForkAndExec) {
  Serve(4, [] {
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/true", "true", nullptr);
      _exit(127);
    }
    int status = 0;
    if (child > 0) waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  });
}

// The README says so.
TEST(HostileHostTest, DISABLED_AWorkerThatCallsPthreadExit) {
  Serve(4, [] { pthread_exit(nullptr); });
}

TEST(HostileHostTest, AWorkerThatCallsPthreadExitEndsTheProcessAtOnce) {
  const ChildResult child = RunInChild("HostileHostTest.DISABLED_AWorkerThatCallsPthreadExit");
  EXPECT_TRUE(WIFSIGNALED(child.wait_status) && WTERMSIG(child.wait_status) == SIGABRT) << child;
}

TEST(HostileHostTest, DISABLED_AWorkerThatCallsExit) {
  Serve(4, [] { std::exit(3); });
}

TEST(HostileHostTest, AWorkerThatCallsExitEndsTheProcessWithItsStatus) {
  const ChildResult child = RunInChild("HostileHostTest.DISABLED_AWorkerThatCallsExit");
  EXPECT_TRUE(WIFEXITED(child.wait_status) && WEXITSTATUS(child.wait_status) == 3) << child;
}

}  // namespace
}  // namespace foxtive::test
