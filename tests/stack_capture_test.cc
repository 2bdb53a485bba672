// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Stacks of workers that hang, wherever they do: the name of the function is in the answer, or why
// there is none.

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lib/shell/thread_setup.h"
#include "tests/support/test_util.h"

namespace foxtive::test {

// Named, and called by nothing that is inlined, so that they are found again.
struct Hang {
  std::atomic<bool> there{false};
  std::atomic<bool> over{false};
  std::mutex mutex;
  std::array<int, 2> pipe{-1, -1};

  Hang() { EXPECT_EQ(::pipe(pipe.data()), 0); }
  ~Hang() {
    for (const int end : pipe) close(end);
  }
};

[[gnu::noinline]] void HangInALoop(Hang& hang) {
  hang.there = true;
  while (!hang.over) continue;
}

[[gnu::noinline]] void HangInAMutex(Hang& hang) {
  hang.there = true;
  const std::lock_guard<std::mutex> lock(hang.mutex);
  hang.there = false;
}

[[gnu::noinline]] void HangInARead(Hang& hang) {
  char byte;
  hang.there = true;
  const ssize_t got = read(hang.pipe[0], &byte, 1);
  EXPECT_EQ(got, 1);
}

Hang* the_hang = nullptr;

[[gnu::noinline]] int HangInAComparison(const void* /*a*/, const void* /*b*/) {
  HangInALoop(*the_hang);
  return 0;
}

// The C library is not built with frame pointers.
[[gnu::noinline]] void HangDeepInALibrary(Hang& hang) {
  the_hang = &hang;
  std::array<int, 2> numbers{2, 1};
  std::qsort(numbers.data(), numbers.size(), sizeof(int), &HangInAComparison);
}

// A thread whose child of vfork has not ended waits in the kernel, and no signal ends that.
[[gnu::noinline]] void HangInTheKernel(Hang& hang) {
  char byte;
  hang.there = true;
  const pid_t child = vfork();
  if (child == 0) {
    syscall(SYS_read, hang.pipe[0], &byte, 1);
    _exit(0);
  }
  EXPECT_GT(child, 0);
  waitpid(child, nullptr, 0);
}

[[gnu::noinline]] void HangBehindAMask(Hang& hang) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  HangInALoop(hang);
}

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kSignal = SIGURG;

class StackListener : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.stack != nullptr) stacks.Add({event.kind, ToString(*event.stack)});
  }
  Recorder<std::pair<EventKind, std::string>> stacks;
};

class StackCaptureTest : public testing::Test {
 protected:
  void SetUp() override {
    // Its handlers wait for a call that it intercepts, and a loop makes none.
    if (internal::kThreadSanitizer) GTEST_SKIP() << "signals come late";
    supervisor_ = *Supervisor::Create({.listener = listener_, .stack_signal = kSignal});
  }

  void TearDown() override {
    End();
    supervisor_.reset();
    // Also one that was abandoned uses what is here.
    while (task_.state() != TaskState::kFinished) std::this_thread::yield();
  }

  TaskHandle Start(void (*worker)(Hang&)) {
    TaskHandle task = *supervisor_->Submit("worker", [this, worker] { worker(hang_); });
    while (!hang_.there) std::this_thread::yield();
    task_ = task;
    return task;
  }

  // A moment before it hangs it is somewhere else.
  std::string StackWith(const TaskHandle& task, const std::string& function) {
    while (true) {
      const absl::StatusOr<StackTrace> stack = task.CaptureStack(absl::InfiniteDuration());
      EXPECT_TRUE(stack.ok()) << stack.status();
      if (!stack.ok()) return "";
      std::string text = ToString(*stack);
      if (text.find(function) != std::string::npos) return text;
    }
  }

  void End() {
    hang_.over = true;
    EXPECT_EQ(write(hang_.pipe[1], "x", 1), 1);
  }

  Hang hang_;
  const std::shared_ptr<StackListener> listener_ = std::make_shared<StackListener>();
  std::unique_ptr<Supervisor> supervisor_;
  TaskHandle task_;
};

TEST_F(StackCaptureTest, ALoopWithoutSystemCalls) {
  const TaskHandle task = Start(&HangInALoop);
  EXPECT_THAT(StackWith(task, "HangInALoop"), HasSubstr("#0 "));
  EXPECT_EQ(task.state(), TaskState::kRunning) << "it goes on";
}

TEST_F(StackCaptureTest, AMutex) {
  const std::lock_guard<std::mutex> lock(hang_.mutex);
  const TaskHandle task = Start(&HangInAMutex);
  EXPECT_THAT(StackWith(task, "lock"), HasSubstr("HangInAMutex"));
  EXPECT_TRUE(hang_.there) << "the signal has not ended its wait";
}

TEST_F(StackCaptureTest, ARead) {
  const TaskHandle task = Start(&HangInARead);
  EXPECT_THAT(StackWith(task, "read"), HasSubstr("HangInARead"));
}

TEST_F(StackCaptureTest, DeepInALibraryWithoutFramePointers) {
  const TaskHandle task = Start(&HangDeepInALibrary);
  const std::string stack = StackWith(task, "HangInALoop");
  EXPECT_THAT(stack, AllOf(HasSubstr("HangInAComparison"), HasSubstr("qsort"),
                           HasSubstr("HangDeepInALibrary")));
  EXPECT_THAT(stack, HasSubstr("libc.so"));
}

TEST_F(StackCaptureTest, AnUninterruptibleWaitIsNamed) {
  const TaskHandle task = Start(&HangInTheKernel);
  std::string why;
  while (why.find("no signal ends") == std::string::npos) {
    const absl::StatusOr<StackTrace> stack = task.CaptureStack(absl::Milliseconds(1));
    if (stack.ok()) continue;  // not yet
    EXPECT_EQ(stack.status().code(), absl::StatusCode::kUnavailable);
    why = std::string(stack.status().message());
  }
  End();
  EXPECT_TRUE(task.Wait().ok());
}

TEST_F(StackCaptureTest, ABlockedSignalIsNamed) {
  const TaskHandle task = Start(&HangBehindAMask);
  const absl::Status status = task.CaptureStack(absl::ZeroDuration()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.ToString(), HasSubstr("its thread blocks signal 23"));
}

TEST_F(StackCaptureTest, ALateSignalFindsNothingToDo) {
  const TaskHandle task = Start(&HangInALoop);
  for (int i = 0; i < 1000; ++i) {
    const absl::StatusOr<StackTrace> stack = task.CaptureStack(absl::ZeroDuration());
    if (stack.ok()) continue;
    EXPECT_EQ(stack.status().code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_THAT(StackWith(task, "HangInALoop"), HasSubstr("HangInALoop"));
}

TEST_F(StackCaptureTest, ManyAskAtOnce) {
  const TaskHandle task = Start(&HangInALoop);
  std::vector<std::jthread> askers;
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        const auto stack = task.CaptureStack(absl::InfiniteDuration());
        ASSERT_TRUE(stack.ok()) << stack.status();
        EXPECT_THAT(ToString(*stack), HasSubstr("HangInALoop"));
      }
    });
  }
}

TEST_F(StackCaptureTest, AWorkerFindsItself) {
  absl::StatusOr<StackTrace> stack = absl::UnknownError("not asked");
  TaskHandle task;
  std::atomic<bool> known = false;
  task = *supervisor_->Submit("self", [&] {
    while (!known) continue;
    stack = task.CaptureStack();
  });
  known = true;
  ASSERT_TRUE(task.Wait().ok());
  ASSERT_TRUE(stack.ok()) << stack.status();
  EXPECT_THAT(ToString(*stack), HasSubstr("CaptureStack"));
}

TEST_F(StackCaptureTest, WithoutAnAttemptThereIsNone) {
  const TaskHandle task = *supervisor_->Register({.name = "later", .run = [] {}});
  EXPECT_EQ(task.CaptureStack().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(TaskHandle().CaptureStack().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StackCaptureTest, TheEventOfOneThatHangsHasIt) {
  const TaskHandle task = *supervisor_->Submit({.name = "worker",
                                                .run = [this] { HangInALoop(hang_); },
                                                .heartbeat_timeout = absl::Milliseconds(1)});
  while (listener_->stacks.Entries().empty()) std::this_thread::yield();
  const auto [kind, stack] = listener_->stacks.Entries().front();
  EXPECT_EQ(kind, EventKind::kStuck);
  EXPECT_THAT(stack, HasSubstr("HangInALoop"));
}

TEST_F(StackCaptureTest, TheEventOfOneThatIsAbandonedHasIt) {
  const TaskHandle task = Start(&HangInALoop);
  EXPECT_EQ(supervisor_->Shutdown(absl::ZeroDuration()).code(),
            absl::StatusCode::kDeadlineExceeded);
  while (listener_->stacks.Entries().empty()) std::this_thread::yield();
  const auto [kind, stack] = listener_->stacks.Entries().front();
  EXPECT_EQ(kind, EventKind::kTaskOver);
  EXPECT_THAT(stack, HasSubstr("HangInALoop"));
  EXPECT_THAT(StackWith(task, "HangInALoop"), HasSubstr("#0 ")) << "and it can still be asked for";
}

TEST_F(StackCaptureTest, TheReportOfAShutdownHasItAndSoHasTheTasksInfo) {
  const TaskHandle task = Start(&HangInALoop);
  EXPECT_EQ(task.info().stack, nullptr);
  ShutdownReport report;
  do {  // a thread that is not scheduled does not answer in time
    EXPECT_EQ(supervisor_->Shutdown(absl::Milliseconds(200), report).code(),
              absl::StatusCode::kDeadlineExceeded);
    ASSERT_EQ(report.tasks.size(), 1);
    ASSERT_NE(report.tasks[0].info.stack, nullptr);
  } while (!report.tasks[0].info.stack->missing.empty());
  EXPECT_THAT(ToString(report), AllOf(HasSubstr("1 of 1 task is stuck"), HasSubstr("HangInALoop")));
  EXPECT_THAT(ToString(*task.info().stack), HasSubstr("HangInALoop"));
}

TEST_F(StackCaptureTest, TheReportSaysWhyThereIsNone) {
  Start(&HangBehindAMask);
  ShutdownReport report;
  EXPECT_FALSE(supervisor_->Shutdown(absl::Milliseconds(400), report).ok());
  EXPECT_THAT(ToString(report), HasSubstr("its thread blocks signal 23"));
}

TEST_F(StackCaptureTest, HooksThatHangBesideTheLane) {
  TaskSpec spec{.name = "worker", .run = [] {}};
  spec.hooks.cleanup = [this] { HangInALoop(hang_); };
  const TaskHandle cleaned = *supervisor_->Submit(std::move(spec));
  while (!hang_.there) std::this_thread::yield();
  EXPECT_THAT(StackWith(cleaned, "HangInALoop"), HasSubstr("#0 "));
  EXPECT_EQ(cleaned.info().phase, TaskPhase::kCleanup);
  hang_.over = true;
  EXPECT_TRUE(cleaned.Wait().ok());
  hang_.over = hang_.there = false;

  TaskSpec other{.name = "other",
                 .run = [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); }};
  other.hooks.setup = [this] {
    hang_.there = true;
    return absl::OkStatus();
  };
  other.hooks.on_shutdown = [this] { HangInALoop(hang_); };
  task_ = *supervisor_->Submit(std::move(other));
  while (!hang_.there) std::this_thread::yield();
  task_.RequestStop();
  while (task_.info().phase != TaskPhase::kStopCalls) std::this_thread::yield();
  EXPECT_THAT(StackWith(task_, "HangInALoop"), HasSubstr("#0 "));
}

TEST(StackSignalTest, ItHasToBeOneThatIsFree) {
  const auto create = [](int signal) {
    return Supervisor::Create({.stack_signal = signal}).status().ToString();
  };
  EXPECT_THAT(create(SIGSEGV), HasSubstr("stack_signal: 11 is raised by faults"));
  EXPECT_THAT(create(SIGKILL), HasSubstr("stack_signal: 9 is no signal that can be handled"));
  EXPECT_THAT(create(-1), HasSubstr("stack_signal: -1 is no signal"));
  EXPECT_THAT(create(1000), HasSubstr("stack_signal: 1000 is no signal"));
  std::signal(SIGUSR1, [](int) {});
  EXPECT_THAT(create(SIGUSR1), HasSubstr("stack_signal: 10 has a handler of the program's"));
  std::signal(SIGUSR1, SIG_DFL);
  ASSERT_EQ(create(kSignal), "OK");
  EXPECT_EQ(create(kSignal), "OK") << "again";
  EXPECT_THAT(create(SIGUSR1), HasSubstr("another Supervisor of this process has 23"));
}

TEST(StackSignalTest, ThoseOfOthersAreIgnored) {
  const auto supervisor = *Supervisor::Create({.stack_signal = kSignal});
  raise(kSignal);
  sigval value{};
  EXPECT_EQ(sigqueue(getpid(), kSignal, value), 0);
}

TEST(StackSignalTest, WithoutOneThereAreNoStacks) {
  Supervisor supervisor;
  const TaskHandle task = *supervisor.Submit("task", [] {});
  EXPECT_THAT(task.CaptureStack().status().ToString(), HasSubstr("stack_signal is not set"));
}

TEST(StackTraceTest, PrintsALineForEachFrame) {
  const StackTrace stack{
      .frames = {{.address = 0x1010, .function = "Read", .module_file = "/bin/a", .offset = 0x10},
                 {.address = 0xabc}},
      .cut = true};
  EXPECT_EQ(ToString(stack), "#0 Read (/bin/a+0x10)\n#1 ? (0xabc)\n...");
  EXPECT_EQ(ToString(StackTrace{.missing = "no answer"}), "no answer");
}

}  // namespace
}  // namespace foxtive::test
