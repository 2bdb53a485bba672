// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S25: what one task does to its thread is not there for the next one, threads are called after
// their task, and the signals of the host are the host's.

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lib/shell/lane_thread.h"
#include "tests/support/child_process.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;

constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

bool IsFault(int signal) {
  for (const int fault : kFaults) {
    if (fault == signal) return true;
  }
  return false;
}

// Those that a program can block: not the two that nobody can, nor the C library's own.
std::vector<int> AsynchronousSignals() {
  std::vector<int> signals;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP || IsFault(signal)) continue;
    if (signal < 32 || signal >= SIGRTMIN) signals.push_back(signal);
  }
  return signals;
}

// What is wrong with a mask of a thread of the library, where `blocked` asks for one signal.
std::string FaultsOfMask(const std::function<bool(int)>& blocked) {
  std::string faults;
  for (const int signal : AsynchronousSignals()) {
    if (!blocked(signal)) absl::StrAppend(&faults, " unblocked: ", signal);
  }
  for (const int signal : kFaults) {
    if (blocked(signal)) absl::StrAppend(&faults, " blocked: ", signal);
  }
  return faults;
}

std::string ThisThreadName() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof(name));
  return name;
}

// What is wrong with this thread for a new task called `name`; nothing: empty.
std::string DirtOnThisThread(const std::string& name) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  std::string dirt = FaultsOfMask([&](int signal) { return sigismember(&mask, signal) == 1; });
  int state;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
  if (state != PTHREAD_CANCEL_DISABLE) dirt += " can be cancelled";
  int type;
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
  if (type != PTHREAD_CANCEL_DEFERRED) dirt += " can be cancelled anywhere";
  if (ThisThreadName() != name) dirt += " is called " + ThisThreadName();
  return dirt;
}

void MakeThisThreadDirty() {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
  pthread_setname_np(pthread_self(), "dirty");
}

// As /proc shows it: from outside of the thread.
struct ThreadSeen {
  std::string name;
  uint64_t blocked = 0;

  std::string Faults() const {
    const std::string faults =
        FaultsOfMask([this](int signal) { return ((blocked >> (signal - 1)) & 1) != 0; });
    return faults.empty() ? "" : name + faults;
  }
};

ThreadSeen ReadThread(const std::filesystem::path& directory) {
  ThreadSeen seen;
  std::ifstream status(directory / "status");
  for (std::string key; status >> key;) {
    if (key == "Name:") std::getline(status >> std::ws, seen.name);
    if (key == "SigBlk:") status >> std::hex >> seen.blocked >> std::dec;
  }
  return seen;
}

std::vector<ThreadSeen> AllThreads() {
  std::vector<ThreadSeen> threads;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    threads.push_back(ReadThread(thread.path()));
  }
  return threads;
}

// Blocks until a thread has this name.
ThreadSeen AwaitThread(const std::string& name) {
  while (true) {
    for (const ThreadSeen& thread : AllThreads()) {
      if (thread.name == name) return thread;
    }
    std::this_thread::yield();
  }
}

// What is wrong with the masks of the threads with these names, or that one is not there. Looks
// again for a while: a thread that is being born has another name and all signals blocked.
std::string FaultsOfThreads(const std::vector<std::string>& names) {
  constexpr int kLooks = 10'000;
  std::string faults;
  for (int look = 0; look < kLooks; ++look) {
    faults.clear();
    std::set<std::string> missing(names.begin(), names.end());
    for (const ThreadSeen& thread : AllThreads()) {
      const bool expected = std::count(names.begin(), names.end(), thread.name) > 0;
      if (expected) faults += thread.Faults();
      missing.erase(thread.name);
    }
    for (const std::string& name : missing) faults += " no " + name;
    if (faults.empty()) break;
  }
  return faults;
}

SupervisorOptions OneLane() {
  SupervisorOptions options = SupervisorOptions{};
  options.max_concurrency = 1;
  return options;
}

// --- One task after the other on one lane.

std::string DirtFoundByTheNextTask(Supervisor& supervisor) {
  std::string dirt = "not run";
  AwaitResult(Submit(supervisor, Spec("clean", [&dirt] { dirt = DirtOnThisThread("clean"); })));
  return dirt;
}

TEST(Semantics, S25_WhatAWorkerDoesToItsThreadIsUndoneForTheNextTask) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OneLane());
  StuckWorker first;
  Submit(*supervisor, Spec("dirty", [run = first.Run()] {
    run();
    MakeThisThreadDirty();
  }));
  first.AwaitEntered();
  // It waits in the queue, so the lane goes from the one to the other without a rest.
  std::string dirt = "not run";
  const TaskHandle next =
      Submit(*supervisor, Spec("clean", [&dirt] { dirt = DirtOnThisThread("clean"); }));
  AwaitState(next, TaskState::kQueued);
  first.Release();
  AwaitResult(next);
  EXPECT_EQ(dirt, "");
}

TEST(Semantics, S25_WhateverCodeOfATaskMakesTheThreadDirtyTheNextTaskFindsItClean) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OneLane());
  for (const std::string& place : GrandTourPlaces()) {
    const TaskHandle tour = Submit(
        *supervisor, GrandTour(absl::StrCat("tour of ", place), [place](std::string_view visited) {
          if (visited == place) MakeThisThreadDirty();
        }));
    while (tour.attempts() < 3) std::this_thread::yield();
    tour.RequestStop();
    AwaitResult(tour);
    EXPECT_EQ(DirtFoundByTheNextTask(*supervisor), "") << place;
  }
}

TEST(Semantics, S25_ALaneThatRestsIsClean) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OneLane());
  AwaitResult(Submit(*supervisor, Spec("dirty", &MakeThisThreadDirty)));
  EXPECT_EQ(AwaitThread("foxtive-lane").Faults(), "");
}

TEST(Semantics, S25_ServiceLanesAreCleanToo) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OneLane());
  Recorder<std::string> dirt;
  for (int i = 0; i < 3; ++i) {
    const std::string name = absl::StrCat("stopped-", i);
    TaskSpec spec = Spec(name, [](TaskContext& context) {
      context.SleepFor(absl::InfiniteDuration());
      return absl::OkStatus();
    });
    spec.hooks.on_shutdown = [&dirt, name] {
      dirt.Add(DirtOnThisThread(name));
      MakeThisThreadDirty();
    };
    const TaskHandle handle = Submit(*supervisor, std::move(spec));
    AwaitRunning(handle);
    handle.RequestStop();
    AwaitResult(handle);
    EXPECT_EQ(AwaitThread("foxtive-service").Faults(), "");
  }
  EXPECT_THAT(dirt.Entries(), ElementsAre("", "", ""));
}

// --- Names.

TEST(Semantics, S25_AThreadIsCalledAfterItsTaskInFifteenBytesAndWholeCharacters) {
  const std::map<std::string, std::string> names = {
      {"short", "short"},
      {"fifteen-bytes-a", "fifteen-bytes-a"},
      {"sixteen-bytes-ab", "sixteen-bytes-a"},
      {"fourteen-byte-\u00e4", "fourteen-byte-"},       // two bytes, the second would be cut
      {"thirteen-byte\u00e4z", "thirteen-byte\u00e4"},  // ends with the fifteenth
      {"thirteen-byte\u20ac", "thirteen-byte"},         // three bytes
      {"twelve-bytes\u20acz", "twelve-bytes\u20ac"},
      {"twelve-bytes\U0001f980", "twelve-bytes"},  // four bytes
      {"eleven-byte\U0001f980z", "eleven-byte\U0001f980"},
      {"\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6",
       "\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4"},
  };
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OneLane());
  for (const auto& [name, expected] : names) {
    std::string seen;
    AwaitResult(Submit(*supervisor, Spec(name, [&seen] { seen = ThisThreadName(); })));
    EXPECT_EQ(seen, expected) << name;
  }
}

TEST(Semantics, S25_TheNameStaysOverAttemptsAndGoesWithTheTask) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OneLane());
  Recorder<std::string> names;
  TaskSpec spec = Spec("three-attempts", [&names] {
    names.Add(ThisThreadName());
    return absl::UnavailableError("again");
  });
  spec.restart_policy = RestartPolicy::MaxAttempts(3);
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_THAT(names.Entries(), ElementsAre("three-attempts", "three-attempts", "three-attempts"));
  AwaitThread("foxtive-lane");
}

// --- Signals.

TEST(Semantics, S25_AllThreadsOfTheLibraryBlockAsynchronousSignalsAndNoFaults) {
  // With a clock of one's own there is an alarm thread as well.
  std::unique_ptr<Supervisor> supervisor =
      MakeSupervisor(OptionsWith(std::make_shared<ManualClock>()));
  StuckWorker workers[8];
  std::vector<std::string> expected = {"foxtive-monitor", "foxtive-alarm", "foxtive-service",
                                       "foxtive-lane"};
  std::vector<TaskHandle> handles;
  for (StuckWorker& worker : workers) {
    expected.push_back(absl::StrCat("worker-", handles.size()));
    handles.push_back(Submit(*supervisor, Spec(expected.back(), worker.Run())));
    worker.AwaitEntered();
  }
  AwaitResult(Submit(*supervisor, Spec("passing by", [] {})));
  EXPECT_EQ(FaultsOfThreads(expected), "");
  for (StuckWorker& worker : workers) worker.Release();
  for (const TaskHandle& handle : handles) AwaitResult(handle);
}

constexpr int kSignals = 100;

sigset_t HostSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : AsynchronousSignals()) sigaddset(&signals, signal);
  return signals;
}

siginfo_t AwaitSignal(const sigset_t& signals) {
  siginfo_t info = {};
  timespec limit = {.tv_sec = kSafetyLimit.count(), .tv_nsec = 0};
  while (sigtimedwait(&signals, &info, &limit) < 0) {
    if (errno != EINTR) DieWaitingFor("a signal");
  }
  return info;
}

// The thread may be one of the host's pool, that lets SIGPIPE through.
TEST(Semantics, S25_ABrokenPipeEndsNothingWhenTheThreadIsGivenBack) {
  const auto former = std::signal(SIGPIPE, SIG_DFL);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  std::thread thread([&ends] {
    const internal::LaneThread lane("lane", /*is_own=*/true);
    EXPECT_EQ(write(ends[1], "x", 1), -1);
    EXPECT_EQ(errno, EPIPE);
  });
  thread.join();
  close(ends[1]);
  std::signal(SIGPIPE, former);
}

// The host blocks all signals in its main thread and waits for them there. It is another thread of
// it, which has them unblocked and is gone later, that creates the Supervisor.
TEST(Semantics, DISABLED_SignalsBesideEightWorkers) {
  const sigset_t signals = HostSignals();
  pthread_sigmask(SIG_SETMASK, &signals, nullptr);
  std::unique_ptr<Supervisor> supervisor;
  StuckWorker workers[8];
  std::thread([&] {
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    supervisor = MakeSupervisor();
    for (int i = 0; i < 8; ++i) {
      Submit(*supervisor, Spec(absl::StrCat("worker-", i), workers[i].Run()));
      workers[i].AwaitEntered();
    }
  }).join();
  // Real-time signals are queued one by one, and come in their order.
  for (int i = 0; i < kSignals; ++i) {
    ASSERT_EQ(sigqueue(getpid(), SIGRTMIN, sigval{.sival_int = i}), 0);
  }
  for (int i = 0; i < kSignals; ++i) {
    const siginfo_t info = AwaitSignal(signals);
    ASSERT_EQ(info.si_signo, SIGRTMIN);
    ASSERT_EQ(info.si_value.sival_int, i);
  }
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE}) {
    for (int i = 0; i < kSignals; ++i) {
      ASSERT_EQ(kill(getpid(), signal), 0);
      ASSERT_EQ(AwaitSignal(signals).si_signo, signal);
    }
  }
}

TEST(Semantics, S25_AllSignalsReachTheHostWhileEightWorkersRun) {
  EXPECT_THAT(RunInChild("Semantics.DISABLED_SignalsBesideEightWorkers"), ChildPassed());
}

// --- Child processes of workers: a program that reads a pipe into which nobody writes.

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_), 0); }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int reader() const { return ends_[0]; }

 private:
  int ends_[2];
};

char kProgram[] = "/bin/cat";
char* const kArguments[] = {kProgram, nullptr};

// Starts the program with `start` on a lane.
pid_t StartOnALane(const std::function<pid_t()>& start) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(OneLane());
  pid_t child = -1;
  AwaitResult(Submit(*supervisor, Spec("spawner", [&] { child = start(); })));
  EXPECT_GT(child, 0);
  return child;
}

int SignalThatEnded(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

pid_t Spawn(int input, const posix_spawnattr_t* attributes) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  pid_t child = -1;
  EXPECT_EQ(posix_spawn(&child, kProgram, &actions, attributes, kArguments, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

TEST(Semantics, S25_AChildProcessOfAWorkerInheritsTheBlockedSignals) {
  const Pipe pipe;
  const pid_t child = StartOnALane([&] { return Spawn(pipe.reader(), nullptr); });
  const ThreadSeen seen = ReadThread(absl::StrCat("/proc/", child));
  EXPECT_EQ(seen.Faults(), "");
  kill(child, SIGTERM);
  kill(child, SIGKILL);
  EXPECT_EQ(SignalThatEnded(child), SIGKILL);
}

TEST(Semantics, S25_AChildProcessThatResetsTheMaskAfterForkCanBeTerminated) {
  const Pipe pipe;
  const pid_t child = StartOnALane([&] {
    const pid_t forked = fork();
    if (forked != 0) return forked;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);  // in the child, between fork and exec
    dup2(pipe.reader(), STDIN_FILENO);
    execv(kProgram, kArguments);
    _exit(1);
  });
  kill(child, SIGTERM);
  EXPECT_EQ(SignalThatEnded(child), SIGTERM);
}

TEST(Semantics, S25_AChildProcessThatIsSpawnedWithAnEmptyMaskCanBeTerminated) {
  const Pipe pipe;
  const pid_t child = StartOnALane([&] {
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const pid_t spawned = Spawn(pipe.reader(), &attributes);
    posix_spawnattr_destroy(&attributes);
    return spawned;
  });
  EXPECT_EQ(ReadThread(absl::StrCat("/proc/", child)).blocked, 0u);
  kill(child, SIGTERM);
  EXPECT_EQ(SignalThatEnded(child), SIGTERM);
}

}  // namespace
}  // namespace foxtive::test
