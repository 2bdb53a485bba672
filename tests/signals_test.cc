// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// foxtive/signals.h. What a signal does is a property of the process, so most cases run in a child
// process of their own.

#include "foxtive/signals.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TaskSpec Patient(std::string name) {
  return Spec(std::move(name),
              [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
}

bool IsBlockedHere(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

void Unblock(int signal) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, signal);
  pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
}

using Handler = void (*)(int);

Handler HandlerOf(int signal) {
  struct sigaction action;
  sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

std::atomic<int> g_handled{0};
void CountHandled(int) { ++g_handled; }

// To the process, as others send it; handled when this returns, if this thread is the one that does
// not block it.
void SendToProcess(int signal) { ASSERT_EQ(kill(getpid(), signal), 0); }

// --- What is refused.

struct BadSignals {
  std::vector<int> signals;
  std::string message;
};

TEST(Signals, WhatIsNoSignalToWaitForIsNamedAndNothingIsChanged) {
  const std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const std::vector<BadSignals> table = {
      {{}, "signals: {} is empty"},
      {{0}, "signals[0]: 0 is not the number of a signal"},
      {{-1}, "signals[0]: -1 is not the number of a signal"},
      {{SIGUSR1, 65}, "signals[1]: 65 is not the number of a signal"},
      {{SIGUSR1, SIGUSR2, SIGKILL}, "signals[2]: 9 can't be blocked or handled"},
      {{SIGUSR1, SIGSTOP}, "signals[1]: 19 can't be blocked or handled"},
      {{SIGUSR1, SIGSEGV}, "signals[1]: 11 is raised by a fault, at the thread that made it"},
      {{SIGUSR1, SIGABRT}, "signals[1]: 6 is raised by a fault, at the thread that made it"},
      {{SIGUSR1, 32}, "signals[1]: 32 belongs to the C library"},
      {{SIGUSR1, 33}, "signals[1]: 33 belongs to the C library"},
  };
  for (const auto& [signals, message] : table) {
    const absl::Status expected = absl::InvalidArgumentError(message);
    EXPECT_EQ(BlockSignals(signals), expected);
    EXPECT_EQ(WaitForSignal(signals, absl::ZeroDuration()).status(), expected);
    EXPECT_EQ(ShutdownOnSignal(*supervisor, signals), expected);
  }
  EXPECT_FALSE(IsBlockedHere(SIGUSR1));
  EXPECT_EQ(HandlerOf(SIGUSR1), SIG_DFL);
}

// --- WaitForSignal.

TEST(Signals, DISABLED_WaitTakesSignals) {
  ASSERT_TRUE(BlockSignals({SIGINT, SIGTERM, SIGRTMAX}).ok());
  const std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle task = Submit(*supervisor, Patient("patient"));
  AwaitRunning(task);
  // Pending, then while it waits; each once, and no other.
  for (const int signal : {SIGTERM, SIGINT, SIGRTMAX}) {
    SendToProcess(signal);
    EXPECT_EQ(WaitForSignal({SIGINT, SIGTERM, SIGRTMAX}).value(), signal);
    std::thread sender([signal] { SendToProcess(signal); });
    EXPECT_EQ(WaitForSignal({SIGINT, SIGTERM, SIGRTMAX}).value(), signal);
    sender.join();
  }
  SendToProcess(SIGTERM);
  const absl::Status none = absl::DeadlineExceededError("WaitForSignal: none after 0");
  EXPECT_EQ(WaitForSignal({SIGINT}, absl::ZeroDuration()).status(), none);
  EXPECT_EQ(WaitForSignal({SIGINT}, absl::Nanoseconds(1)).status(),
            absl::DeadlineExceededError("WaitForSignal: none after 1ns"));
  EXPECT_EQ(WaitForSignal({SIGINT}, -absl::InfiniteDuration()).status(),
            absl::DeadlineExceededError("WaitForSignal: none after -inf"));
  EXPECT_EQ(WaitForSignal({SIGTERM}, absl::ZeroDuration()).value(), SIGTERM);
  EXPECT_EQ(task.state(), TaskState::kRunning);
  EXPECT_TRUE(supervisor->Shutdown().ok());
}

TEST(Signals, WaitTakesSignalsThatArePendingOrCome) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_WaitTakesSignals"), ChildPassed());
}

// Nobody has to be first: threads of the library block all signals.
TEST(Signals, DISABLED_WaitAfterTheSupervisor) {
  const std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  AwaitRunning(Submit(*supervisor, Patient("patient")));
  EXPECT_FALSE(IsBlockedHere(SIGTERM));
  EXPECT_EQ(WaitForSignal({SIGTERM}, absl::ZeroDuration()).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(IsBlockedHere(SIGTERM));
  SendToProcess(SIGTERM);
  EXPECT_EQ(WaitForSignal({SIGTERM}).value(), SIGTERM);
}

TEST(Signals, WaitMayComeAfterTheSupervisorWithoutBlockSignals) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_WaitAfterTheSupervisor"), ChildPassed());
}

TEST(Signals, DISABLED_WaitIsTooLate) {
  Notification named;
  Notification leave;
  std::thread pump([&] {
    pthread_setname_np(pthread_self(), "pump");
    named.Notify();
    leave.Await("the end");
  });
  named.Await("the thread");
  const absl::Status late = WaitForSignal({SIGINT, SIGTERM}).status();
  EXPECT_EQ(late.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(late.message()),
              AllOf(HasSubstr("too late, thread 'pump' ("), HasSubstr(") does not block SIGINT"),
                    HasSubstr("call BlockSignals before the first thread")));
  EXPECT_FALSE(IsBlockedHere(SIGINT));
  leave.Notify();
  pump.join();
  EXPECT_EQ(WaitForSignal({SIGINT, SIGTERM}, absl::ZeroDuration()).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(Signals, WaitSaysWhichThreadMakesItTooLate) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_WaitIsTooLate"), ChildPassed());
}

TEST(Signals, DISABLED_WaitGoesOnAfterAHandler) {
  std::signal(SIGUSR1, CountHandled);
  const pthread_t waiting = pthread_self();
  ASSERT_TRUE(BlockSignals({SIGTERM}).ok());
  std::thread sender([waiting] {
    pthread_kill(waiting, SIGUSR1);
    while (g_handled == 0) std::this_thread::yield();
    SendToProcess(SIGTERM);
  });
  EXPECT_EQ(WaitForSignal({SIGTERM}).value(), SIGTERM);
  EXPECT_EQ(g_handled, 1);
  sender.join();
}

TEST(Signals, WaitGoesOnAfterAnotherSignalWasHandled) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_WaitGoesOnAfterAHandler"), ChildPassed());
}

// --- ShutdownOnSignal.

TEST(Signals, DISABLED_FirstShutsDown) {
  const std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  ASSERT_TRUE(ShutdownOnSignal(*supervisor, {SIGINT, SIGTERM}).ok());
  for (const char* name : {"one", "two"}) Register(*supervisor, Patient(name));
  ASSERT_TRUE(supervisor->StartAll().ok());
  errno = EXDEV;
  SendToProcess(SIGTERM);
  EXPECT_EQ(errno, EXDEV);
  const absl::StatusOr<std::vector<SupervisionResult>> results = supervisor->WaitAll();
  ASSERT_TRUE(results.ok());
  ASSERT_EQ(results->size(), 2u);
  for (const SupervisionResult& result : *results) {
    EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  }
  EXPECT_EQ(supervisor->Submit(Patient("late")).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(Signals, TheFirstSignalAsksForAShutdown) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_FirstShutsDown"), ChildPassed());
}

// The clock stands still, so no deadline ever comes.
TEST(Signals, DISABLED_SecondCutsShort) {
  std::signal(SIGTERM, CountHandled);
  std::signal(SIGINT, CountHandled);
  const std::unique_ptr<Supervisor> supervisor =
      MakeSupervisor(OptionsWith(std::make_shared<ManualClock>()));
  StuckWorker worker;
  Notification stopping;
  TaskSpec spec = Spec("stuck", worker.Run());
  spec.hooks.on_shutdown = [&stopping] { stopping.Notify(); };
  const TaskHandle stuck = Submit(*supervisor, std::move(spec));
  worker.AwaitEntered();
  const TaskHandle patient = Submit(*supervisor, Patient("patient"));
  ASSERT_TRUE(ShutdownOnSignal(*supervisor, {SIGINT, SIGTERM}).ok());
  SendToProcess(SIGTERM);
  EXPECT_EQ(AwaitResult(patient).final_status, SupervisionStatus::kManuallyStopped);
  stopping.Await("the stop of the one that is stuck");
  EXPECT_EQ(stuck.state(), TaskState::kStopping);
  std::future<absl::Status> shutdown = std::async(std::launch::async, [&supervisor] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    return supervisor->Shutdown(absl::InfiniteDuration());
  });
  SendToProcess(SIGTERM);
  EXPECT_EQ(AwaitResult(stuck).final_status, SupervisionStatus::kAbandoned);
  const absl::Status status = Await(shutdown, "the shutdown");
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'stuck'"));
  EXPECT_EQ(g_handled, 0);
  SendToProcess(SIGINT);  // whichever is the third
  EXPECT_EQ(g_handled, 1);
  SendToProcess(SIGTERM);
  EXPECT_EQ(g_handled, 2);
  worker.Release();
}

TEST(Signals, TheSecondCutsTheShutdownShortAndTheThirdDoesWhatItDidBefore) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_SecondCutsShort"), ChildPassed());
}

// Nobody asked by signal before: the destructor did.
TEST(Signals, DISABLED_CutsTheDestructorShort) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  StuckWorker worker;
  TaskSpec spec = Spec("stuck", worker.Run());
  Notification stopping;
  spec.hooks.on_shutdown = [&stopping] { stopping.Notify(); };
  const TaskHandle stuck = Submit(*supervisor, std::move(spec));
  worker.AwaitEntered();
  ASSERT_TRUE(ShutdownOnSignal(*supervisor, {SIGTERM}).ok());
  const pthread_t main_thread = pthread_self();
  std::thread sender([&stopping, main_thread] {
    stopping.Await("the destructor");
    pthread_kill(main_thread, SIGTERM);
  });
  supervisor = nullptr;
  EXPECT_EQ(AwaitResult(stuck).final_status, SupervisionStatus::kAbandoned);
  sender.join();
  worker.Release();
}

TEST(Signals, ASignalCutsTheDestructorShort) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(RunInChild("Signals.DISABLED_CutsTheDestructorShort"), ChildPassed());
  // It would have waited for its shutdown_timeout.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(Signals, DISABLED_TwoSupervisors) {
  std::signal(SIGTERM, CountHandled);
  std::unique_ptr<Supervisor> first = MakeSupervisor();
  std::unique_ptr<Supervisor> second = MakeSupervisor();
  const TaskHandle task = Submit(*first, Patient("patient"));
  const TaskHandle other = Submit(*second, Patient("patient"));
  ASSERT_TRUE(ShutdownOnSignal(*first, {SIGTERM}).ok());
  ASSERT_TRUE(ShutdownOnSignal(*first, {SIGUSR1, SIGTERM}).ok());
  ASSERT_TRUE(ShutdownOnSignal(*second, {SIGTERM}).ok());
  SendToProcess(SIGTERM);
  EXPECT_EQ(AwaitResult(task).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(AwaitResult(other).final_status, SupervisionStatus::kManuallyStopped);
  first = nullptr;
  EXPECT_EQ(HandlerOf(SIGUSR1), SIG_DFL);
  EXPECT_NE(HandlerOf(SIGTERM), CountHandled);
  second = nullptr;
  EXPECT_EQ(HandlerOf(SIGTERM), CountHandled);
  EXPECT_EQ(g_handled, 0);
}

TEST(Signals, SeveralSupervisorsShareASignalAndTheLastPutsTheFormerHandlerBack) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_TwoSupervisors"), ChildPassed());
}

TEST(Signals, DISABLED_ReplacedHandler) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  ASSERT_TRUE(ShutdownOnSignal(*supervisor, {SIGTERM}).ok());
  std::signal(SIGTERM, CountHandled);
  supervisor = nullptr;
  EXPECT_EQ(HandlerOf(SIGTERM), CountHandled);
  // Anew, with a Supervisor that comes after.
  supervisor = MakeSupervisor();
  ASSERT_TRUE(ShutdownOnSignal(*supervisor, {SIGTERM}).ok());
  const TaskHandle task = Submit(*supervisor, Patient("patient"));
  SendToProcess(SIGTERM);
  EXPECT_EQ(AwaitResult(task).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(g_handled, 0);
}

TEST(Signals, AHandlerThatReplacedOursStays) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_ReplacedHandler"), ChildPassed());
}

TEST(Signals, DISABLED_TooMany) {
  std::vector<std::unique_ptr<Supervisor>> supervisors;
  for (int i = 0; i < 32; ++i) {
    supervisors.push_back(MakeSupervisor());
    ASSERT_TRUE(ShutdownOnSignal(*supervisors.back(), {SIGTERM}).ok());
  }
  const std::unique_ptr<Supervisor> one_more = MakeSupervisor();
  EXPECT_EQ(ShutdownOnSignal(*one_more, {SIGUSR1}),
            absl::ResourceExhaustedError("more than 32 Supervisors have signals"));
  EXPECT_EQ(HandlerOf(SIGUSR1), SIG_DFL);
  supervisors.pop_back();
  EXPECT_TRUE(ShutdownOnSignal(*one_more, {SIGUSR1}).ok());
}

TEST(Signals, MoreThan32SupervisorsAreRefused) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_TooMany"), ChildPassed());
}

TEST(Signals, DISABLED_BlockedHere) {
  ASSERT_TRUE(BlockSignals({SIGTERM}).ok());
  const std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const absl::Status status = ShutdownOnSignal(*supervisor, {SIGINT, SIGTERM});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("signals[1]: 15 is blocked in this thread"));
  EXPECT_EQ(HandlerOf(SIGINT), SIG_DFL);
  Unblock(SIGTERM);
  EXPECT_TRUE(ShutdownOnSignal(*supervisor, {SIGINT, SIGTERM}).ok());
}

TEST(Signals, ShutdownOnASignalThatIsBlockedHereIsRefused) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_BlockedHere"), ChildPassed());
}

// --- fork.

TEST(Signals, DISABLED_ForkedChild) {
  const std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  ASSERT_TRUE(ShutdownOnSignal(*supervisor, {SIGTERM}).ok());
  const TaskHandle task = Submit(*supervisor, Patient("patient"));
  const pid_t child = fork();
  if (child == 0) {
    while (true) pause();
  }
  ASSERT_EQ(kill(child, SIGTERM), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_FALSE(task.TryResult().has_value());
  SendToProcess(SIGTERM);
  EXPECT_EQ(AwaitResult(task).final_status, SupervisionStatus::kManuallyStopped);
}

TEST(Signals, AChildOfForkCanBeTerminated) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "it keeps a signal that comes at once from the child of a process with threads";
#endif
  EXPECT_THAT(RunInChild("Signals.DISABLED_ForkedChild"), ChildPassed());
}

// --- While Supervisors come and go.

// A few for each Supervisor: a thread that gets nothing but signals gets nowhere.
TEST(Signals, DISABLED_SignalsAtAnyMoment) {
  constexpr int kSupervisors = 50;
  constexpr int kSignalsForEach = 10;
  std::signal(SIGUSR1, CountHandled);
  std::atomic<int> current{0};
  std::thread sender([&current] {
    for (int i = 1; i <= kSupervisors; ++i) {
      while (current < i) std::this_thread::yield();
      for (int k = 0; k < kSignalsForEach; ++k) {
        kill(getpid(), SIGUSR1);
        std::this_thread::yield();
      }
    }
  });
  for (int i = 1; i <= kSupervisors; ++i) {
    current = i;
    const std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
    ASSERT_TRUE(ShutdownOnSignal(*supervisor, {SIGUSR1}).ok());
    const absl::StatusOr<TaskHandle> task = supervisor->Submit(Patient("patient"));
    supervisor->RequestShutdown();
    if (task.ok()) AwaitResult(*task);
  }
  sender.join();
  EXPECT_EQ(HandlerOf(SIGUSR1), CountHandled);
}

TEST(Signals, SignalsMayComeAtAnyMomentOfASupervisorsLife) {
  EXPECT_THAT(RunInChild("Signals.DISABLED_SignalsAtAnyMoment"), ChildPassed());
}

}  // namespace
}  // namespace foxtive::test
