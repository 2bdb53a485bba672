// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The restart path allocates nothing, nor does the publication of a result: a process that is out
// of memory still restarts its workers and still learns how they ended. Calls without memory:
// no_memory_test.cc.

#include <atomic>
#include <cstdint>
#include <exception>
#include <future>
#include <latch>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "lib/shell/thread_setup.h"
#include "tests/support/failing_allocator.h"

namespace foxtive::test {
namespace {

// Whatever is made at its first use has been made after so many attempts.
constexpr int64_t kWarmUp = 100;
constexpr int64_t kRestarts = 10'000;

// A clock of which any time is over as soon as somebody waits for that; allocates nothing.
class ImpatientClock final : public Clock {
 public:
  int64_t NowNanos() const noexcept override { return now_; }

  bool Park(Parker& parker, int64_t deadline_nanos) noexcept override {
    if (deadline_nanos == kNever) return Clock::Park(parker, kNever);
    int64_t now = now_;
    while (now < deadline_nanos && !now_.compare_exchange_weak(now, deadline_nanos)) {
    }
    return Clock::Park(parker, kPast);
  }

 private:
  std::atomic<int64_t> now_{absl::ToInt64Nanoseconds(absl::Hours(1))};
};

// Under the thread sanitizer a listener gets statuses of its own, which have to be allocated.
std::shared_ptr<EventListener> UsualListener() {
#if defined(__SANITIZE_THREAD__)
  return nullptr;
#else
  return StderrListener();
#endif
}

// A Supervisor with one lane, which is there already. The monitor is through with its birth,
// because it has seen to a delay since. Nobody has to destroy the task that was needed for this.
class WarmSupervisor {
 public:
  explicit WarmSupervisor(std::shared_ptr<Clock> clock = nullptr,
                          std::shared_ptr<EventListener> listener = UsualListener())
      : supervisor_(*Supervisor::Create(
            {.max_concurrency = 1,
             .starvation_alarm = absl::InfiniteDuration(),  // which is over at once, too
             .listener = std::move(listener),
             .clock = std::move(clock)})),
        warm_up_(Submit({.name = "warm-up",
                         .run = [] { return absl::UnavailableError("no"); },
                         .restart_policy = RestartPolicy::MaxAttempts(2),
                         .backoff = BackoffStrategy::Constant(absl::Milliseconds(1))})) {
    EXPECT_TRUE(warm_up_.Wait().ok());
  }

  TaskHandle Submit(TaskSpec spec) { return supervisor_->Submit(std::move(spec)).value(); }

 private:
  const std::unique_ptr<Supervisor> supervisor_;
  const TaskHandle warm_up_;
};

// What a worker and the test that waits for it have in common.
struct Scene {
  const absl::Status failure = absl::UnavailableError("connection refused by the collector");
  std::latch waited_for{1};  // the test allocates nothing any more
};

// Fails kWarmUp + kRestarts - 1 times, and then succeeds. From attempt kWarmUp on `mode` is on.
TaskSpec CrashLoop(Scene& scene, Allocations mode, absl::Duration delay) {
  return {.name = "crash-loop",
          .run =
              [&scene, mode](TaskContext& context) {
                if (context.attempt() == kWarmUp) {
                  scene.waited_for.wait();
                  SetAllocations(mode);
                }
                const bool last = context.attempt() == kWarmUp + kRestarts;
                return last ? absl::OkStatus() : scene.failure;
              },
          .backoff = BackoffStrategy::Constant(delay)};
}

// How many allocations there are from attempt kWarmUp until the result has been received: by a
// future, and then by `Wait`.
int64_t CountOf(TaskSpec spec, Scene& scene, std::shared_ptr<Clock> clock = nullptr,
                std::shared_ptr<EventListener> listener = UsualListener()) {
  WarmSupervisor supervisor(std::move(clock), std::move(listener));
  const TaskHandle handle = supervisor.Submit(std::move(spec));
  const std::shared_future<SupervisionResult> future = handle.future();
  scene.waited_for.count_down();
  future.wait();
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  const int64_t allocations = EndAllocations();
  EXPECT_EQ(result->final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result->total_attempts, kWarmUp + kRestarts);
  EXPECT_EQ(future.get().total_attempts, kWarmUp + kRestarts);
  return allocations;
}

TEST(AllocationTest, TheCounterCounts) {
  SetAllocations(Allocations::kCount);
  operator delete(operator new(1));
  operator delete(operator new(64, std::align_val_t(64)), std::align_val_t(64));
  EXPECT_EQ(EndAllocations(), 2);
}

TEST(AllocationTest, S2_RestartsWithoutADelayAllocateNothing) {
  Scene scene;
  EXPECT_EQ(CountOf(CrashLoop(scene, Allocations::kCount, absl::ZeroDuration()), scene), 0);
}

// By way of inbox, monitor, wheel and queue.
TEST(AllocationTest, S2_RestartsWithADelayAllocateNothing) {
  Scene scene;
  const auto clock = std::make_shared<ImpatientClock>();
  const int64_t start = clock->NowNanos();
  EXPECT_EQ(CountOf(CrashLoop(scene, Allocations::kCount, absl::Milliseconds(1)), scene, clock), 0);
  EXPECT_GE(absl::Nanoseconds(clock->NowNanos() - start), kRestarts * absl::Milliseconds(1));
}

TEST(AllocationTest, S2_HooksAddNoAllocation) {
  Scene scene;
  int64_t calls = 0;
  TaskSpec spec = CrashLoop(scene, Allocations::kCount, absl::ZeroDuration());
  spec.hooks.on_restart = [&](int64_t) { ++calls; };
  spec.hooks.on_error = [&](const absl::Status&, int64_t) { ++calls; };
  spec.hooks.should_restart = [&](int64_t, const absl::Status&) { return ++calls > 0; };
  EXPECT_EQ(CountOf(std::move(spec), scene), 0);
  EXPECT_EQ(calls, 3 * (kWarmUp + kRestarts - 1));
}

// Nor do heartbeats, and timeouts that are armed.
TEST(AllocationTest, S2_TimeoutsAddNoAllocation) {
  Scene scene;
  TaskSpec spec = CrashLoop(scene, Allocations::kCount, absl::ZeroDuration());
  spec.run = [run = std::move(spec.run)](TaskContext& context) mutable {
    context.Heartbeat();
    return run(context);
  };
  spec.heartbeat_timeout = absl::Hours(1);
  spec.run_timeout = absl::Hours(2);
  EXPECT_EQ(CountOf(std::move(spec), scene), 0);
}

struct Refused : std::exception {
  static constexpr char kText[] = "the collector has refused the connection once more";
  const char* what() const noexcept override { return kText; }
};

// Under the thread sanitizer each exception has a status of its own too: with no memory for that,
// what has no text but its type has none.
TEST(AllocationTest, S6_AnExceptionReachesItsHookWithoutMemory) {
  for (const bool standard : {true, false}) {
    if (!standard && internal::kThreadSanitizer) continue;
    Scene scene;
    int64_t calls = 0;
    const std::string_view text = standard ? Refused::kText : "int";
    TaskSpec spec = CrashLoop(scene, Allocations::kFail, absl::ZeroDuration());
    spec.run = [standard, run = std::move(spec.run)](TaskContext& context) mutable {
      const absl::Status status = run(context);
      if (!status.ok() && standard) throw Refused();
      if (!status.ok()) throw 17;
      return status;
    };
    spec.hooks.on_exception = [&](const std::exception_ptr&, std::string_view what, int64_t) {
      calls += what == text;
    };
    CountOf(std::move(spec), scene);
    EXPECT_EQ(calls, kWarmUp + kRestarts - 1) << text;
  }
}

// Is told of every failure, as fast as they come.
class CountingListener : public EventListener {
 public:
  void OnEvent(const Event& event) override { told += 1 + event.lost; }
  std::atomic<int64_t> told{0};
};

// Not counted: a delivery that ends when the next event comes may have a second lane made.
TEST(AllocationTest, S26_EventsAreDeliveredWhileEveryAllocationFails) {
  Scene scene;
  const auto listener = std::make_shared<CountingListener>();
  CountOf(CrashLoop(scene, Allocations::kFail, absl::ZeroDuration()), scene, nullptr, listener);
  EXPECT_GE(listener->told, 1024) << "a ring at least, however fast the loop is";
  EXPECT_LE(listener->told, 3 + kWarmUp + kRestarts) << "that of the warm-up, and the end";
}

TEST(AllocationTest, S2_RestartsGoOnWhileEveryAllocationFails) {
  Scene scene;
  CountOf(CrashLoop(scene, Allocations::kFail, absl::ZeroDuration()), scene);
  Scene delayed;
  CountOf(CrashLoop(delayed, Allocations::kFail, absl::Milliseconds(1)), delayed,
          std::make_shared<ImpatientClock>());
}

// From the last attempt until the result is there, there is no memory.
TEST(AllocationTest, S2_TheResultComesWhileEveryAllocationFails) {
  for (const bool throws : {false, true}) {
    Scene scene;
    WarmSupervisor supervisor;
    const TaskHandle handle =
        supervisor.Submit({.name = "last-words",
                           .run =
                               [&scene, throws](TaskContext& context) {
                                 if (context.attempt() < kWarmUp) return scene.failure;
                                 scene.waited_for.wait();
                                 SetAllocations(Allocations::kFail);
                                 if (throws) throw std::bad_alloc();
                                 return scene.failure;
                               },
                           .restart_policy = RestartPolicy::MaxAttempts(kWarmUp),
                           .backoff = BackoffStrategy::Constant(absl::ZeroDuration())});
    const std::shared_future<SupervisionResult> future = handle.future();
    scene.waited_for.count_down();
    future.wait();
    EndAllocations();
    EXPECT_EQ(future.get().final_status, SupervisionStatus::kMaxAttemptsReached);
    EXPECT_EQ(future.get().total_attempts, kWarmUp);
    EXPECT_FALSE(future.get().last_error.ok());
    EXPECT_EQ(future.get().last_exception != nullptr, throws);
  }
}

// Without events, since their delivery and the stop might meet, and the second one have a lane
// made.
TEST(AllocationTest, S2_AStopAllocatesNothing) {
  WarmSupervisor supervisor(nullptr, nullptr);
  std::latch sleeping(1);
  const TaskHandle handle =
      supervisor.Submit({.name = "sleeper", .run = [&sleeping](TaskContext& context) {
                           sleeping.count_down();
                           context.SleepFor(absl::InfiniteDuration());
                         }});
  sleeping.wait();
  SetAllocations(Allocations::kCount);
  EXPECT_TRUE(handle.RequestStop());
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  EXPECT_EQ(EndAllocations(), 0);
  EXPECT_EQ(result->final_status, SupervisionStatus::kManuallyStopped);
}

TEST(AllocationTest, S2_AnAbandonmentAllocatesNothing) {
  WarmSupervisor supervisor(nullptr, nullptr);
  std::latch stuck(1);
  const auto released = std::make_shared<std::latch>(1);
  const TaskHandle handle = supervisor.Submit({.name = "stuck",
                                               .run =
                                                   [&stuck, released] {
                                                     stuck.count_down();
                                                     released->wait();
                                                   },
                                               .stop_timeout = absl::ZeroDuration()});
  stuck.wait();
  SetAllocations(Allocations::kCount);
  EXPECT_TRUE(handle.RequestStop());
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  EXPECT_EQ(EndAllocations(), 0);
  EXPECT_EQ(result->final_status, SupervisionStatus::kAbandoned);
  released->count_down();
}

}  // namespace
}  // namespace foxtive::test
