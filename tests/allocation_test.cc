// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The restart path allocates nothing, nor does the publication of a result: a process that is out
// of memory still restarts its workers and still learns how they ended. And a call that finds no
// memory, wherever that is, says so and has changed nothing. This binary replaces the global
// operator new, to count the allocations of all threads, or to let all or one of them fail.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <latch>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"

namespace {

enum class Mode { kOff, kCount, kFail };

std::atomic<Mode> g_mode{Mode::kOff};
std::atomic<int64_t> g_allocations{0};
thread_local int64_t t_until_failure = 0;  // of this thread: that allocation fails; 0: none

void* Allocate(size_t size, size_t alignment = alignof(std::max_align_t)) noexcept {
  const Mode mode = g_mode;
  if (mode != Mode::kOff) ++g_allocations;
  if (mode == Mode::kFail || (t_until_failure > 0 && --t_until_failure == 0)) return nullptr;
  return std::aligned_alloc(alignment, (size / alignment + 1) * alignment);
}

void* OrThrow(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Not inlined: where the compiler sees free() for a new of its own, it warns.
[[gnu::noinline]] void Release(void* memory) noexcept { std::free(memory); }

}  // namespace

void* operator new(size_t size) { return OrThrow(Allocate(size)); }
void* operator new[](size_t size) { return OrThrow(Allocate(size)); }
void* operator new(size_t size, std::align_val_t alignment) {
  return OrThrow(Allocate(size, static_cast<size_t>(alignment)));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return OrThrow(Allocate(size, static_cast<size_t>(alignment)));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { Release(memory); }
void operator delete[](void* memory) noexcept { Release(memory); }
void operator delete(void* memory, size_t) noexcept { Release(memory); }
void operator delete[](void* memory, size_t) noexcept { Release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { Release(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { Release(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { Release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { Release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { Release(memory); }

namespace foxtive {
namespace {

void Begin(Mode mode) {
  g_allocations = 0;
  g_mode = mode;
}

int64_t End() {
  g_mode = Mode::kOff;
  return g_allocations;
}

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

// A Supervisor with one lane, which is there already. The monitor is through with its birth,
// because it has seen to a delay since. Nobody has to destroy the task that was needed for this.
class WarmSupervisor {
 public:
  explicit WarmSupervisor(std::shared_ptr<Clock> clock = nullptr,
                          std::shared_ptr<EventListener> listener = StderrListener())
      : supervisor_(*Supervisor::Create(
            {.max_concurrency = 1, .listener = std::move(listener), .clock = std::move(clock)})),
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
TaskSpec CrashLoop(Scene& scene, Mode mode, absl::Duration delay) {
  return {.name = "crash-loop",
          .run =
              [&scene, mode](TaskContext& context) {
                if (context.attempt() == kWarmUp) {
                  scene.waited_for.wait();
                  Begin(mode);
                }
                const bool last = context.attempt() == kWarmUp + kRestarts;
                return last ? absl::OkStatus() : scene.failure;
              },
          .backoff = BackoffStrategy::Constant(delay)};
}

// How many allocations there are from attempt kWarmUp until the result has been received: by a
// future, and then by `Wait`.
int64_t AllocationsOf(TaskSpec spec, Scene& scene, std::shared_ptr<Clock> clock = nullptr,
                      std::shared_ptr<EventListener> listener = StderrListener()) {
  WarmSupervisor supervisor(std::move(clock), std::move(listener));
  const TaskHandle handle = supervisor.Submit(std::move(spec));
  const std::shared_future<SupervisionResult> future = handle.future();
  scene.waited_for.count_down();
  future.wait();
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  const int64_t allocations = End();
  EXPECT_EQ(result->final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result->total_attempts, kWarmUp + kRestarts);
  EXPECT_EQ(future.get().total_attempts, kWarmUp + kRestarts);
  return allocations;
}

TEST(AllocationTest, TheCounterCounts) {
  Begin(Mode::kCount);
  operator delete(operator new(1));
  operator delete(operator new(64, std::align_val_t(64)), std::align_val_t(64));
  EXPECT_EQ(End(), 2);
}

TEST(AllocationTest, S2_RestartsWithoutADelayAllocateNothing) {
  Scene scene;
  EXPECT_EQ(AllocationsOf(CrashLoop(scene, Mode::kCount, absl::ZeroDuration()), scene), 0);
}

// By way of inbox, monitor, wheel and queue.
TEST(AllocationTest, S2_RestartsWithADelayAllocateNothing) {
  Scene scene;
  const auto clock = std::make_shared<ImpatientClock>();
  const int64_t start = clock->NowNanos();
  EXPECT_EQ(AllocationsOf(CrashLoop(scene, Mode::kCount, absl::Milliseconds(1)), scene, clock), 0);
  EXPECT_GE(absl::Nanoseconds(clock->NowNanos() - start), kRestarts * absl::Milliseconds(1));
}

TEST(AllocationTest, S2_HooksAddNoAllocation) {
  Scene scene;
  int64_t calls = 0;
  TaskSpec spec = CrashLoop(scene, Mode::kCount, absl::ZeroDuration());
  spec.hooks.on_restart = [&](int64_t) { ++calls; };
  spec.hooks.on_error = [&](const absl::Status&, int64_t) { ++calls; };
  spec.hooks.should_restart = [&](int64_t, const absl::Status&) { return ++calls > 0; };
  EXPECT_EQ(AllocationsOf(std::move(spec), scene), 0);
  EXPECT_EQ(calls, 3 * (kWarmUp + kRestarts - 1));
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
  AllocationsOf(CrashLoop(scene, Mode::kFail, absl::ZeroDuration()), scene, nullptr, listener);
  EXPECT_GE(listener->told, kWarmUp + 1024) << "a ring at least";
  EXPECT_LE(listener->told, 3 + kWarmUp + kRestarts) << "that of the warm-up, and the end";
}

TEST(AllocationTest, S2_RestartsGoOnWhileEveryAllocationFails) {
  Scene scene;
  AllocationsOf(CrashLoop(scene, Mode::kFail, absl::ZeroDuration()), scene);
  Scene delayed;
  AllocationsOf(CrashLoop(delayed, Mode::kFail, absl::Milliseconds(1)), delayed,
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
                                 Begin(Mode::kFail);
                                 if (throws) throw std::bad_alloc();
                                 return scene.failure;
                               },
                           .restart_policy = RestartPolicy::MaxAttempts(kWarmUp),
                           .backoff = BackoffStrategy::Constant(absl::ZeroDuration())});
    const std::shared_future<SupervisionResult> future = handle.future();
    scene.waited_for.count_down();
    future.wait();
    End();
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
  Begin(Mode::kCount);
  EXPECT_TRUE(handle.RequestStop());
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  EXPECT_EQ(End(), 0);
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
  Begin(Mode::kCount);
  EXPECT_TRUE(handle.RequestStop());
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  EXPECT_EQ(End(), 0);
  EXPECT_EQ(result->final_status, SupervisionStatus::kAbandoned);
  released->count_down();
}

// --- Calls without memory

// Makes `call` while its first allocation fails, then the second one, ... until it needs no more.
// It has to say that there is no memory, as often as it fails; `check` sees to it that it did
// nothing.
template <typename Call, typename Check>
void FailEachAllocation(int64_t at_least, Call call, Check check) {
  int64_t failing = 1;
  for (;; ++failing) {
    t_until_failure = failing;
    absl::Status status = call();
    const bool failed = std::exchange(t_until_failure, 0) == 0;
    if (!failed) {
      EXPECT_EQ(status, absl::OkStatus());
      break;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << failing << ": " << status;
    check();
  }
  EXPECT_GT(failing, at_least);
}

const std::string& LongName(int i) {
  static const auto& names = *new std::vector<std::string>{
      std::string(100, 'a'), std::string(100, 'b'), std::string(100, 'c')};
  return names[static_cast<size_t>(i)];
}

class LongNamed : public SupervisedTask {
 public:
  explicit LongNamed(int64_t& tasks) : tasks_(tasks) { ++tasks_; }
  ~LongNamed() override { --tasks_; }
  std::string name() const override { return LongName(0); }
  absl::Status Run(TaskContext&) override { return absl::OkStatus(); }

 private:
  int64_t& tasks_;
};

std::vector<TaskSpec> ThreeSpecs() {
  return Specs(TaskSpec{.name = LongName(0), .run = [] {}},
               TaskSpec{.name = LongName(1), .run = [] {}},
               TaskSpec{.name = LongName(2), .run = [] {}});
}

void ExpectEmpty(const Supervisor& supervisor) {
  EXPECT_TRUE(supervisor.ListTasks().empty());
  EXPECT_EQ(supervisor.task_count(), 0u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(supervisor.Find(LongName(i)).status().code(), absl::StatusCode::kNotFound);
  }
}

TEST(AllocationTest, S20_RegisterAllWithoutMemoryRegistersNone) {
  Supervisor supervisor;
  std::vector<TaskSpec> specs = ThreeSpecs();
  FailEachAllocation(
      9, [&] { return supervisor.RegisterAll(std::exchange(specs, {})).status(); },
      [&] {
        ExpectEmpty(supervisor);
        specs = ThreeSpecs();
      });
  EXPECT_EQ(supervisor.ListTasks().size(), 3u);
}

// Names that tasks which are over have left behind need no memory, and stay theirs.
TEST(AllocationTest, S18_RegisterAllWithoutMemoryTakesNoOldNameAway) {
  Supervisor supervisor;
  const TaskHandle old = supervisor.Register(LongName(1), [] {}).value();
  ASSERT_TRUE(supervisor.StartAll().ok());
  ASSERT_TRUE(old.Wait().ok());
  std::vector<TaskSpec> specs = ThreeSpecs();
  FailEachAllocation(
      8, [&] { return supervisor.RegisterAll(std::exchange(specs, {})).status(); },
      [&] {
        EXPECT_TRUE(supervisor.Find(LongName(1)).value() == old);
        EXPECT_TRUE(supervisor.ListTasks().empty());
        specs = ThreeSpecs();
      });
  EXPECT_EQ(supervisor.ListTasks().size(), 3u);
}

TEST(AllocationTest, S20_ATaskInTheClassFormWithoutMemoryIsRefusedAndReleased) {
  Supervisor supervisor;
  int64_t tasks = 0;
  auto task = std::make_shared<LongNamed>(tasks);
  FailEachAllocation(
      2, [&] { return supervisor.Register(std::move(task)).status(); },
      [&] {
        ExpectEmpty(supervisor);
        EXPECT_EQ(tasks, 0);
        task = std::make_shared<LongNamed>(tasks);
      });
  EXPECT_EQ(tasks, 1);
  EXPECT_TRUE(supervisor.Shutdown().ok());
  EXPECT_EQ(tasks, 0);
}

TEST(AllocationTest, S20_ANameAndARunWithoutMemoryAreRefused) {
  Supervisor supervisor;
  std::string name = LongName(0);
  FailEachAllocation(
      1, [&] { return supervisor.Register(std::move(name), [] {}).status(); },
      [&] {
        ExpectEmpty(supervisor);
        name = LongName(0);
      });
}

// A virtual that throws where not even that can be said.
TEST(AllocationTest, S20_ABadTaskIsRefusedWithoutMemoryToo) {
  struct Bad : LongNamed {
    using LongNamed::LongNamed;
    std::string name() const override { throw 1; }
  };
  Supervisor supervisor;
  int64_t tasks = 0;
  for (int64_t failing = 1; failing < 20; ++failing) {
    auto task = std::make_shared<Bad>(tasks);
    t_until_failure = failing;
    const absl::Status status = supervisor.Submit(std::move(task)).status();
    t_until_failure = 0;
    EXPECT_TRUE(status.code() == absl::StatusCode::kResourceExhausted ||
                status.code() == absl::StatusCode::kInvalidArgument)
        << status;
    EXPECT_EQ(tasks, 0);
  }
}

// Each call finds what the one before has left; the last one starts it, with a task on it.
TEST(AllocationTest, DefaultIsTriedAgainUntilItStarts) {
  FailEachAllocation(
      5, [] { return Supervisor::Default().status(); }, [] {});
  Supervisor* const supervisor = Supervisor::Default().value();
  std::vector<TaskSpec> specs = ThreeSpecs();
  std::vector<TaskHandle> handles;
  FailEachAllocation(
      9,
      [&] {
        absl::StatusOr<std::vector<TaskHandle>> spawned =
            SpawnSupervisedMany(std::exchange(specs, {}));
        if (spawned.ok()) handles = *std::move(spawned);
        return spawned.status();
      },
      [&] {
        ExpectEmpty(*supervisor);
        specs = ThreeSpecs();
      });
  EXPECT_EQ(handles.size(), 3u);
  for (const TaskHandle& handle : handles) EXPECT_TRUE(handle.Wait().ok());
}

}  // namespace
}  // namespace foxtive
