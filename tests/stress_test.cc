// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Everything at once, on real threads: callers submit, register, start, stop, wait, ask and shut
// down, while tasks fail, throw, hang, wait for whatever can be waited for, submit and stop each
// other. All that user code sees is
// written down; then stress/check.h computes each promise again (S1 to S7, S9 to S11, S13 to S20,
// S26, as far as they speak of order, count and "not before").
//
// A fixed number of Supervisors with fixed seeds, of which only the tasks' fates are the same each
// time. FOXTIVE_STRESS=N runs N of them from a fresh seed on: tests/deep.sh does.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/clock.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/stress/check.h"
#include "tests/stress/fate.h"
#include "tests/stress/log.h"
#include "tests/stress/task.h"
#include "tests/support/random.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::IsEmpty;

// Few, so that the gate's share of all this is short; the log has room for twenty times as many.
constexpr int kCallers = 4;
constexpr int kCalls = 150;  // of each
constexpr size_t kLogCapacity = 1 << 18;

class StressListener : public EventListener {
 public:
  StressListener(std::shared_ptr<StressWorld> world, std::shared_ptr<Notification> gone)
      : world_(std::move(world)), gone_(std::move(gone)) {}
  ~StressListener() override { gone_->Notify(); }

  void OnEvent(const Event& event) override {
    if (inside_.exchange(true, std::memory_order_relaxed)) {
      world_->log.Add(StressLog::kNoTask, What::kOverlap);
    }
    int32_t task = StressLog::kNoTask;
    if (!absl::SimpleAtoi(std::string(event.task_name), &task)) task = StressLog::kNoTask;
    world_->log.Add(task, What::kEvent, static_cast<int64_t>(event.kind));
    world_->lost.fetch_add(event.lost, std::memory_order_relaxed);
    inside_.store(false, std::memory_order_relaxed);
  }

 private:
  const std::shared_ptr<StressWorld> world_;
  const std::shared_ptr<Notification> gone_;
  std::atomic<bool> inside_{false};
};

// One Supervisor from its first task to the return of its last worker.
class Epoch {
 public:
  explicit Epoch(uint64_t seed)
      : random_(seed, 1), world_(std::make_shared<StressWorld>(seed, kLogCapacity)) {
    SupervisorOptions options;
    options.max_concurrency = max_concurrency_;
    options.shutdown_timeout = absl::Hours(1);  // until all events are told
    options.listener = std::make_shared<StressListener>(world_, listener_gone_);
    options.seed = seed;
    owner_ = MakeSupervisor(std::move(options));
    supervisor_ = owner_;
    world_->submit_one = [this] { SubmitFromWorker(); };
    world_->stop_one = [this] { StopFromWorker(); };
  }

  // Whether one of its tasks is abandoned for certain, however little the machine gives the others.
  bool has_deaf_one() const { return max_concurrency_ > 1; }

  std::vector<std::string> Run(Totals& totals) {
    if (has_deaf_one()) SubmitDeafOne();
    Live();
    const bool to_the_end = random_.OneIn(2);
    if (to_the_end) LetGo();
    owner_ = nullptr;
    if (!to_the_end) LetGo();
    handles_.clear();
    // All that could still write has gone before it.
    listener_gone_->Await("the listener to be let go of");
    AwaitDestruction();
    return BrokenPromises(world_->seed, world_->log.Entries(),
                          {.lost = world_->lost, .to_the_end = to_the_end}, totals);
  }

 private:
  // What a thread knows to do.
  struct Caller {
    Epoch& epoch;
    Random random;
    void Call();
    void Submit();
    void SubmitAs(int32_t number, bool registers);
    void RegisterMany();
    void StartAll();
    void StopOne();
    void WaitForOne();
    void WaitForAny();
    void WaitForAll();
    void Look();
  };

  // Its first attempt lasts until it is let go.
  void SubmitDeafOne() {
    int32_t number = kFirstDeaf;
    while (!Fate::Make(world_->seed, number).IsDeafAtOnce()) ++number;
    Caller{*this, random_}.SubmitAs(number, /*registers=*/false);
    while (handles_.front().second.attempts() == 0) std::this_thread::yield();
  }

  void Live() {
    const bool shuts_early = random_.OneIn(3);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kCallers; ++i) {
      threads.emplace_back([this, i] {
        Caller caller{*this, Random(world_->seed, 2, static_cast<uint64_t>(i))};
        for (int call = 0; call < kCalls; ++call) caller.Call();
      });
    }
    if (!shuts_early) threads.clear();
    while (tasks_ < kCallers * kCalls / 8) std::this_thread::yield();
    ExpectRefused(owner_->StartAll());
    threads.emplace_back([this] { ShutDown(absl::Milliseconds(10)); });
    if (random_.OneIn(2)) threads.emplace_back([this] { ShutDown(absl::Milliseconds(2)); });
  }

  void ShutDown(absl::Duration timeout) {
    shutting_ = true;
    world_->log.Add(StressLog::kNoTask, What::kShuttingDown);
    ShutdownReport report;
    const absl::Status status = owner_->Shutdown(timeout, report);
    for (const ShutdownReport::Task& task : report.tasks) {
      EXPECT_TRUE(task.stuck() || task.info.state == TaskState::kFinished) << task.info;
    }
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kDeadlineExceeded) << status;
    EXPECT_THAT(owner_->ListTasks(), IsEmpty());
  }

  // Everything that was accepted is over, its callback included. A worker that has submitted
  // another task is in the list before it.
  void LetGo() {
    world_->released.Notify();
    int64_t over = 0;
    while (const std::optional<TaskHandle> handle = HandleAt(over)) {
      while (handle->state() != TaskState::kFinished) std::this_thread::yield();
      ++over;
    }
    while (finished_ < over) std::this_thread::yield();
  }

  // The result of a task that never began does not wait for the destruction of its callables, if
  // its time to stop is over. What is not destroyed after that long is a broken promise.
  void AwaitDestruction() const {
    constexpr int64_t kLongEnoughNanos = int64_t{60'000'000'000};
    const Clock clock;
    const int64_t deadline = clock.NowNanos() + kLongEnoughNanos;
    while (world_->alive > 0 && clock.NowNanos() < deadline) std::this_thread::yield();
  }

  std::optional<TaskHandle> HandleAt(int64_t place) {
    std::lock_guard<std::mutex> guard(mutex_);
    if (place >= static_cast<int64_t>(handles_.size())) return std::nullopt;
    return handles_[static_cast<size_t>(place)].second;
  }

  void SubmitFromWorker() {
    Caller{*this, Random(world_->seed, 3, static_cast<uint64_t>(++helpers_))}.Submit();
  }
  void StopFromWorker() {
    Caller{*this, Random(world_->seed, 3, static_cast<uint64_t>(++helpers_))}.StopOne();
  }

  void Accepted(int32_t number, const TaskHandle& handle) {
    {
      std::lock_guard<std::mutex> guard(mutex_);
      handles_.emplace_back(number, handle);
    }
    const absl::Status status = handle.OnFinished([this, number](const SupervisionResult& result) {
      world_->log.Add(number, What::kFinished, NumberOf(result));
      ++finished_;
    });
    EXPECT_TRUE(status.ok()) << status;
  }

  std::pair<int32_t, TaskHandle> AnyTask(Random& random) {
    std::lock_guard<std::mutex> guard(mutex_);
    if (handles_.empty()) return {StressLog::kNoTask, TaskHandle()};
    // The last ones are the liveliest.
    const size_t back = random.Below(std::min<size_t>(handles_.size(), 40));
    return handles_[handles_.size() - 1 - back];
  }

  // Only of a name that is a number is it known whose.
  void HandedOut(const SupervisionResult& result) {
    int32_t number = StressLog::kNoTask;
    if (!absl::SimpleAtoi(result.task_name, &number)) return;
    world_->log.Add(number, What::kHandedOut);
  }

  // Refused only for what may have happened.
  void ExpectRefused(const absl::Status& status) {
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kAlreadyExists ||
                (shutting_ && status.code() == absl::StatusCode::kFailedPrecondition))
        << status;
  }

  static constexpr int32_t kFirstDeaf = 1'000'000;  // no other number comes so far

  Random random_;
  const int max_concurrency_ = random_.OneOf({1, 4, 16, 64});
  const std::shared_ptr<StressWorld> world_;
  const std::shared_ptr<Notification> listener_gone_ = std::make_shared<Notification>();
  std::shared_ptr<Supervisor> owner_;
  // For workers, one of which may find itself the last owner.
  std::weak_ptr<Supervisor> supervisor_;
  std::atomic<bool> shutting_{false};
  std::atomic<int32_t> tasks_{0};
  std::atomic<int64_t> finished_{0};
  std::atomic<int64_t> helpers_{0};
  std::mutex mutex_;
  std::vector<std::pair<int32_t, TaskHandle>> handles_;  // guarded by mutex_
};

void Epoch::Caller::Call() {
  const uint64_t drawn = random.Below(20);
  if (drawn < 5) return Submit();
  if (drawn < 6) return RegisterMany();
  if (drawn < 9) return StopOne();
  if (drawn < 10) return StartAll();
  if (drawn < 11) return WaitForAny();
  if (drawn < 12) return WaitForAll();
  if (drawn < 15) return WaitForOne();
  if (drawn < 17) return epoch.world_->boxes.Give(random);
  Look();
}

void Epoch::Caller::Submit() {
  const int32_t number = epoch.tasks_++;
  SubmitAs(number, /*registers=*/random.OneIn(3));
}

void Epoch::Caller::SubmitAs(int32_t number, bool registers) {
  const auto supervisor = epoch.supervisor_.lock();
  if (supervisor == nullptr) return;
  StressLog& log = epoch.world_->log;
  TaskSpec spec = MakeStressSpec(epoch.world_, Fate::Make(epoch.world_->seed, number));
  log.Add(number, What::kSubmitting, registers ? 1 : 0);
  const absl::StatusOr<TaskHandle> handle =
      registers ? supervisor->Register(std::move(spec)) : supervisor->Submit(std::move(spec));
  log.Add(number, What::kAccepted, handle.ok() ? 1 : 0);
  epoch.ExpectRefused(handle.status());
  if (handle.ok()) epoch.Accepted(number, *handle);
}

// All or none.
void Epoch::Caller::RegisterMany() {
  const auto supervisor = epoch.supervisor_.lock();
  if (supervisor == nullptr) return;
  std::vector<int32_t> numbers;
  std::vector<TaskSpec> specs;
  for (int i = 0; i < 3; ++i) {
    numbers.push_back(epoch.tasks_++);
    specs.push_back(MakeStressSpec(epoch.world_, Fate::Make(epoch.world_->seed, numbers.back())));
    epoch.world_->log.Add(numbers.back(), What::kSubmitting, 1);
  }
  const absl::StatusOr<std::vector<TaskHandle>> handles = supervisor->RegisterAll(std::move(specs));
  epoch.ExpectRefused(handles.status());
  for (size_t i = 0; i < numbers.size(); ++i) {
    epoch.world_->log.Add(numbers[i], What::kAccepted, handles.ok() ? 1 : 0);
    if (handles.ok()) epoch.Accepted(numbers[i], (*handles)[i]);
  }
}

void Epoch::Caller::StartAll() {
  const auto supervisor = epoch.supervisor_.lock();
  if (supervisor != nullptr) epoch.ExpectRefused(supervisor->StartAll());
}

void Epoch::Caller::StopOne() {
  const auto [number, handle] = epoch.AnyTask(random);
  if (!handle.valid()) return;
  epoch.world_->log.Add(number, What::kStopAnswered, handle.RequestStop() ? 1 : 0);
}

void Epoch::Caller::WaitForOne() {
  const auto [number, handle] = epoch.AnyTask(random);
  if (!handle.valid()) return;
  const absl::StatusOr<SupervisionResult> result =
      handle.Wait(random.Duration(absl::Milliseconds(4)));
  EXPECT_TRUE(result.ok() || result.status().code() == absl::StatusCode::kDeadlineExceeded);
  if (!result.ok()) return;
  EXPECT_EQ(NumberOf(*result), NumberOf(handle.TryResult().value()));
  EXPECT_EQ(NumberOf(*result), NumberOf(handle.future().get()));
  EXPECT_EQ(handle.attempts(), result->total_attempts);
}

void Epoch::Caller::WaitForAny() {
  const auto supervisor = epoch.supervisor_.lock();
  if (supervisor == nullptr) return;
  const absl::StatusOr<SupervisionResult> result = supervisor->WaitAny(absl::Microseconds(300));
  if (result.ok()) return epoch.HandedOut(*result);
  EXPECT_TRUE(result.status().code() == absl::StatusCode::kDeadlineExceeded ||
              result.status().code() == absl::StatusCode::kOutOfRange)
      << result.status();
}

void Epoch::Caller::WaitForAll() {
  const auto supervisor = epoch.supervisor_.lock();
  if (supervisor == nullptr) return;
  const auto results = supervisor->WaitAll(absl::Microseconds(100));
  if (!results.ok()) {
    EXPECT_EQ(results.status().code(), absl::StatusCode::kDeadlineExceeded) << results.status();
    return;
  }
  for (const SupervisionResult& result : *results) epoch.HandedOut(result);
}

// Whatever does not wait. What it says is a moment old, so that only little can be asked of it.
void Epoch::Caller::Look() {
  const auto [number, handle] = epoch.AnyTask(random);
  const auto supervisor = epoch.supervisor_.lock();
  if (supervisor == nullptr || !handle.valid()) return;
  const int64_t before = handle.attempts();
  const TaskInfo info = handle.info();
  EXPECT_LE(before, info.attempts);
  EXPECT_LE(info.attempts, handle.attempts());
  const TaskHistory history = handle.history();
  EXPECT_LE(history.attempts.size(), 8);
  for (size_t i = 1; i < history.attempts.size(); ++i) {
    EXPECT_LE(history.attempts[i - 1].number, history.attempts[i].number);
  }
  const absl::StatusOr<TaskHandle> found = supervisor->Find(handle.name());
  EXPECT_TRUE(found.ok() || found.status().code() == absl::StatusCode::kNotFound);
  for (const TaskInfo& listed : supervisor->ListTasks()) EXPECT_FALSE(listed.name.empty());
  const size_t count = supervisor->task_count();
  EXPECT_LE(count, static_cast<size_t>(epoch.tasks_) + 1) << "with the deaf one";
}

// --- The test

void RunEpochs(uint64_t first_seed, int64_t epochs) {
  Totals totals;
  int64_t deaf = 0;
  for (int64_t i = 0; i < epochs; ++i) {
    const uint64_t seed = first_seed + static_cast<uint64_t>(i);
    Epoch epoch(seed);
    deaf += epoch.has_deaf_one();
    EXPECT_THAT(epoch.Run(totals), IsEmpty()) << "seed " << seed;
  }
  std::cout << epochs << " Supervisors, " << totals.tasks << " tasks, " << totals.attempts
            << " attempts, " << totals.stopped << " stopped, " << totals.abandoned << " abandoned, "
            << totals.refused << " refused, " << totals.events << " events, " << totals.waits
            << " waits, " << totals.callbacks << " calls by OnStop\n";
  EXPECT_GT(totals.attempts, 0);
  EXPECT_GT(totals.stopped, 0);
  EXPECT_GE(totals.abandoned, deaf);
  EXPECT_GT(totals.refused, 0);
  EXPECT_GT(totals.events, 0);
  EXPECT_GT(totals.waits, 0);
}

TEST(StressTest, EveryPromiseIsKeptWhileEverythingHappensAtOnce) {
  const char* const wanted = std::getenv("FOXTIVE_STRESS");
  int64_t epochs = 8;
  if (wanted == nullptr) return RunEpochs(1, epochs);
  if (!absl::SimpleAtoi(wanted, &epochs)) Die("FOXTIVE_STRESS: no number");
  RunEpochs(std::random_device()(), epochs);
}

}  // namespace
}  // namespace foxtive::test
