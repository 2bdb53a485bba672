// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The waits of TaskContext that a stop ends: for descriptors, and on condition variables.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::HasSubstr;

class Pipe {
 public:
  Pipe() { Require(pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) == 0, "pipe2"); }
  ~Pipe() {
    CloseInput();
    close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int output() const { return ends_[0]; }
  int input() const { return ends_[1]; }

  void Write() const { Require(write(ends_[1], "x", 1) == 1, "write"); }
  void Fill() const {
    while (write(ends_[1], "x", 1) == 1) {
    }
  }
  void Empty() const {
    std::array<char, 4096> buffer;
    while (read(ends_[0], buffer.data(), buffer.size()) > 0) {
    }
  }
  void CloseInput() {
    if (ends_[1] >= 0) close(std::exchange(ends_[1], -1));
  }

 private:
  std::array<int, 2> ends_;
};

// What `wait` returns in a worker that nobody asks to stop.
absl::Status InATask(std::function<absl::Status(TaskContext&)> wait,
                     std::shared_ptr<Clock> clock = nullptr) {
  SupervisorOptions options{.listener = nullptr};
  options.clock = std::move(clock);
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  absl::Status answer;
  AwaitResult(
      Submit(*supervisor, Spec("task", [&](TaskContext& context) { answer = wait(context); })));
  return answer;
}

// What it returns in one that is asked to stop while it waits. `entered`: it is about to.
absl::Status WhileStopped(const std::function<absl::Status(TaskContext&)>& wait,
                          std::shared_ptr<Clock> clock = nullptr) {
  SupervisorOptions options{.listener = nullptr};
  options.clock = std::move(clock);
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(std::move(options));
  Notification entered;
  absl::Status answer;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    entered.Notify();
    answer = wait(context);
  }));
  entered.Await("the worker to be entered");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  return answer;
}

// What it returns in one that has been asked to stop before.
absl::Status AfterStop(const std::function<absl::Status(TaskContext&)>& wait) {
  return WhileStopped([&wait](TaskContext& context) {
    EXPECT_FALSE(context.SleepFor(absl::InfiniteDuration()));
    return wait(context);
  });
}

// --- Descriptors.

TEST(WaitsTest, ADescriptorIsReadableWhenThereIsSomething) {
  Pipe pipe;
  pipe.Write();
  EXPECT_EQ(InATask([&](TaskContext& context) { return context.WaitReadable(pipe.output()); }),
            absl::OkStatus());
}

TEST(WaitsTest, ADescriptorAtItsEndIsReadable) {
  Pipe pipe;
  pipe.CloseInput();
  EXPECT_EQ(InATask([&](TaskContext& context) { return context.WaitReadable(pipe.output()); }),
            absl::OkStatus());
}

TEST(WaitsTest, WhatIsWrittenLaterEndsTheWait) {
  Pipe pipe;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Notification entered;
  absl::Status answer = absl::InternalError("not returned");
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    entered.Notify();
    answer = context.WaitReadable(pipe.output());
  }));
  entered.Await("the worker to be entered");
  pipe.Write();
  AwaitResult(handle);
  EXPECT_EQ(answer, absl::OkStatus());
}

TEST(WaitsTest, AFullPipeIsWritableWhenItHasBeenEmptied) {
  Pipe pipe;
  pipe.Fill();
  EXPECT_EQ(InATask([&](TaskContext& context) {
              absl::Status status = context.WaitWritable(pipe.input(), absl::ZeroDuration());
              if (!absl::IsDeadlineExceeded(status)) return absl::InternalError("writable");
              pipe.Empty();
              return context.WaitWritable(pipe.input());
            }),
            absl::OkStatus());
}

TEST(WaitsTest, ATimeoutOfZeroOrLessLooksOnce) {
  Pipe pipe;
  for (const absl::Duration timeout : {absl::ZeroDuration(), -absl::InfiniteDuration()}) {
    const auto wait = [&](TaskContext& context) {
      return context.WaitReadable(pipe.output(), timeout);
    };
    EXPECT_TRUE(absl::IsDeadlineExceeded(InATask(wait)));
  }
  pipe.Write();
  EXPECT_TRUE(InATask([&](TaskContext& context) {
                return context.WaitReadable(pipe.output(), absl::ZeroDuration());
              }).ok());
}

TEST(WaitsTest, ATimeoutIsNotEarly) {
  Pipe pipe;
  constexpr absl::Duration kTimeout = absl::Microseconds(2500);
  EXPECT_TRUE(absl::IsDeadlineExceeded(InATask([&](TaskContext& context) {
    const auto begin = std::chrono::steady_clock::now();
    absl::Status status = context.WaitReadable(pipe.output(), kTimeout);
    EXPECT_GE(absl::FromChrono(std::chrono::steady_clock::now() - begin), kTimeout);
    return status;
  })));
}

TEST(WaitsTest, AStopEndsTheWaitForADescriptor) {
  Pipe empty;
  Pipe full;
  full.Fill();
  EXPECT_TRUE(absl::IsCancelled(
      WhileStopped([&](TaskContext& context) { return context.WaitReadable(empty.output()); })));
  EXPECT_TRUE(absl::IsCancelled(
      WhileStopped([&](TaskContext& context) { return context.WaitWritable(full.input()); })));
}

TEST(WaitsTest, AStopWinsOverWhatIsThere) {
  Pipe pipe;
  pipe.Write();
  EXPECT_TRUE(absl::IsCancelled(
      AfterStop([&](TaskContext& context) { return context.WaitReadable(pipe.output()); })));
  EXPECT_TRUE(
      absl::IsCancelled(AfterStop([&](TaskContext& context) { return context.WaitReadable(-1); })));
}

// One descriptor for all of them, and nobody takes the stop away from another.
TEST(WaitsTest, AStopEndsTheWaitsOfAllThreadsOfATask) {
  Pipe pipe;
  std::array<absl::Status, 4> answers;
  WhileStopped([&](TaskContext& context) {
    std::vector<std::thread> threads;
    for (absl::Status& answer : answers) {
      threads.emplace_back([&] { answer = context.WaitReadable(pipe.output()); });
    }
    for (std::thread& thread : threads) thread.join();
    return absl::OkStatus();
  }).IgnoreError();
  for (const absl::Status& answer : answers) EXPECT_TRUE(absl::IsCancelled(answer)) << answer;
}

TEST(WaitsTest, ADescriptorThatIsNoneIsNamed) {
  absl::Status status = InATask([](TaskContext& context) { return context.WaitReadable(987654); });
  EXPECT_EQ(status, absl::InvalidArgumentError("fd: 987654 is not open"));
  status = InATask([](TaskContext& context) { return context.WaitWritable(-7); });
  EXPECT_EQ(status, absl::InvalidArgumentError("fd: -7 is negative"));
}

TEST(WaitsTest, ADescriptorKnowsNoClockButTheRealOne) {
  Pipe pipe;
  pipe.Write();
  const absl::Status status =
      InATask([&](TaskContext& context) { return context.WaitReadable(pipe.output()); },
              std::make_shared<ManualClock>());
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("clock"));
}

size_t OpenDescriptors() {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

TEST(WaitsTest, ATaskHasOneDescriptorUntilItIsOver) {
  Pipe pipe;
  pipe.Write();
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const size_t before = OpenDescriptors();
  size_t inside = 0;
  int attempts = 0;
  for (int i = 0; i < 3; ++i) {
    AwaitResult(Submit(*supervisor, Spec("task", [&](TaskContext& context) {
      for (int wait = 0; wait < 3; ++wait) {
        EXPECT_TRUE(context.WaitReadable(pipe.output()).ok());
      }
      inside = OpenDescriptors();
      return ++attempts % 2 == 0 ? absl::OkStatus() : absl::AbortedError("");
    })));
  }
  EXPECT_EQ(inside, before + 1);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(WaitsTest, DISABLED_NoDescriptorIsLeft) {
  Pipe pipe;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  absl::Status answer;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    rlimit former;
    Require(getrlimit(RLIMIT_NOFILE, &former) == 0, "getrlimit");
    rlimit none = former;
    none.rlim_cur = 0;
    Require(setrlimit(RLIMIT_NOFILE, &none) == 0, "setrlimit");
    answer = context.WaitReadable(pipe.output());
    setrlimit(RLIMIT_NOFILE, &former);
  }));
  AwaitResult(handle);
  EXPECT_TRUE(absl::IsResourceExhausted(answer)) << answer;
  EXPECT_THAT(std::string(answer.message()), HasSubstr("descriptor"));
}

TEST(WaitsTest, ThatNoDescriptorIsLeftIsSaid) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer) || __has_feature(address_sanitizer)
  GTEST_SKIP() << "clang's sanitizers look at memory by means of a pipe";
#endif
#endif
  EXPECT_THAT(RunInChild("WaitsTest.DISABLED_NoDescriptorIsLeft"), ChildPassed());
}

// --- Condition variables.

class Queue {
 public:
  void Push(int item) {
    std::lock_guard lock(mutex_);
    items_.push_back(item);
    not_empty_.notify_one();
  }
  absl::Status Pop(TaskContext& context, int& item,
                   absl::Duration timeout = absl::InfiniteDuration()) {
    std::unique_lock lock(mutex_);
    const absl::Status status = context.Wait(
        not_empty_, lock, [this] { return !items_.empty(); }, timeout);
    EXPECT_TRUE(lock.owns_lock());
    if (status.ok()) {
      item = items_.front();
      items_.pop_front();
    }
    return status;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any not_empty_;
  std::deque<int> items_;
};

TEST(WaitsTest, APredicateThatIsTrueIsNotWaitedFor) {
  Queue queue;
  queue.Push(1);
  int item = 0;
  EXPECT_TRUE(InATask([&](TaskContext& context) { return queue.Pop(context, item); }).ok());
  EXPECT_EQ(item, 1);
}

TEST(WaitsTest, ANotificationEndsTheWait) {
  Queue queue;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  Recorder<int> items;
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    int item = 0;
    while (queue.Pop(context, item).ok()) items.Add(item);
  }));
  for (int item = 0; item < 100; ++item) queue.Push(item);
  EXPECT_EQ(items.AwaitSize(100).back(), 99);
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
}

TEST(WaitsTest, TheTimeoutEndsTheWaitOnACondition) {
  Queue queue;
  int item = 0;
  for (const absl::Duration timeout :
       {-absl::Seconds(1), absl::ZeroDuration(), absl::Milliseconds(1)}) {
    const auto wait = [&](TaskContext& context) { return queue.Pop(context, item, timeout); };
    EXPECT_TRUE(absl::IsDeadlineExceeded(InATask(wait)));
  }
}

TEST(WaitsTest, AStopEndsTheWaitOnACondition) {
  Queue queue;
  int item = 0;
  EXPECT_TRUE(absl::IsCancelled(
      WhileStopped([&](TaskContext& context) { return queue.Pop(context, item); })));
  EXPECT_TRUE(absl::IsCancelled(WhileStopped(
      [&](TaskContext& context) { return queue.Pop(context, item, absl::Hours(1)); })));
}

TEST(WaitsTest, AStopWinsOverAPredicateThatIsTrue) {
  Queue queue;
  queue.Push(1);
  int item = 0;
  EXPECT_TRUE(
      absl::IsCancelled(AfterStop([&](TaskContext& context) { return queue.Pop(context, item); })));
  EXPECT_EQ(item, 0);
}

// The wait has a way of its own, not the worker's stop token, whose callbacks come one by one.
TEST(WaitsTest, AStopCallbackThatHangsDoesNotHoldBackAWait) {
  Notification let_go;
  Notification registered;
  Queue queue;
  Pipe pipe;
  std::array<absl::Status, 2> answers;
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    const auto hangs = context.OnStop([&] { let_go.Await("the waits to be over"); });
    registered.Notify();
    std::thread other([&] { answers[0] = context.WaitReadable(pipe.output()); });
    int item = 0;
    answers[1] = queue.Pop(context, item);
    other.join();
    let_go.Notify();
  }));
  registered.Await("the callback to be registered");
  EXPECT_TRUE(handle.RequestStop());
  AwaitResult(handle);
  for (const absl::Status& answer : answers) EXPECT_TRUE(absl::IsCancelled(answer)) << answer;
}

TEST(WaitsTest, WhatThePredicateThrowsIsPassedOn) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor({.listener = nullptr});
  TaskSpec spec = Spec("task", [](TaskContext& context) {
    std::mutex mutex;
    std::condition_variable_any condition;
    std::unique_lock lock(mutex);
    const auto throws = []() -> bool { throw std::runtime_error("broken queue"); };
    return context.Wait(condition, lock, throws);
  });
  spec.restart_policy = RestartPolicy::Never();
  const SupervisionResult result = AwaitResult(Submit(*supervisor, std::move(spec)));
  EXPECT_THAT(std::string(result.last_error.message()), HasSubstr("broken queue"));
}

TEST(WaitsTest, AConditionOnAClockOfOnesOwnHasNoTimeout) {
  Queue queue;
  queue.Push(1);
  int item = 0;
  const auto clock = std::make_shared<ManualClock>();
  const absl::Status status = InATask(
      [&](TaskContext& context) { return queue.Pop(context, item, absl::Seconds(1)); }, clock);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("timeout"));
  EXPECT_EQ(item, 0);
  EXPECT_TRUE(InATask([&](TaskContext& context) { return queue.Pop(context, item); }, clock).ok());
  EXPECT_EQ(item, 1);
  EXPECT_TRUE(absl::IsCancelled(
      WhileStopped([&](TaskContext& context) { return queue.Pop(context, item); }, clock)));
}

}  // namespace
}  // namespace foxtive::test
