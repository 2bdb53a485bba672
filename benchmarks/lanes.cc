// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What it costs that there are many lanes, and how soon one of them begins.
//
// R9: while so many lanes are blocked by workers that sleep, one more is free (max_concurrency is
// blocked + 1, so that what works is always one lane):
//
//   R9_Submit/Foxtive/<blocked>            20,000 tasks that succeed at once are submitted, then
//                                          waited for. ns_per_task
//   R9_Restart/Foxtive/<blocked>           a worker fails 200,000 times without a delay.
//                                          ns_per_restart
//   R9_DelayedRestart/Foxtive/<blocked>    a worker fails 2,000 times with a delay of 1 us, which
//                                          leads by way of the monitor. ns_per_restart
//
// R10: from the call that hands over a worker until it begins:
//
//   R10_Start/<who>/<idle>    500 times, one after the other, while so many threads rest, which
//                             have all run a worker before. start_us_p50 and start_us_p99
//   R10_Churn/<who>/<lanes>   for 10 s, beside a thread of the host that calls tbb::parallel_for
//                             in a loop: so many threads are made, each gets a worker, which waits
//                             for the others, and all are destroyed. start_us_worst
//
//   Foxtive       a Supervisor with max_concurrency = idle, or lanes; its lanes are the threads
//   ThreadPool    std::threads that wait on a std::condition_variable for a queue of std::functions
//
// All check that each worker has been called as often as it should.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "benchmarks/harness.h"
#include "benchmarks/onetbb_host.h"
#include "foxtive/supervisor.h"
#include "tests/support/host.h"

namespace foxtive::benchmarks {
namespace {

std::unique_ptr<Supervisor> MakeSupervisor(int64_t max_concurrency) {
  auto supervisor = Supervisor::Create({.max_concurrency = static_cast<int>(max_concurrency)});
  Require(supervisor.ok(), "Create failed");
  return *std::move(supervisor);
}

TaskHandle MustSubmit(Supervisor& supervisor, TaskSpec spec) {
  absl::StatusOr<TaskHandle> handle = supervisor.Submit(std::move(spec));
  Require(handle.ok(), "Submit failed");
  return *std::move(handle);
}

void AwaitSuccess(const TaskHandle& handle) {
  const auto result = handle.Wait();
  Require(result.ok() && result->final_status == SupervisionStatus::kCompletedNormally,
          "no success");
}

// --- R9.

std::unique_ptr<Supervisor> MakeBlockedSupervisor(int64_t blocked) {
  std::unique_ptr<Supervisor> supervisor = MakeSupervisor(blocked + 1);
  auto all_inside = std::make_shared<std::latch>(blocked);
  for (int64_t i = 0; i < blocked; ++i) {
    MustSubmit(*supervisor,
               {.name = "blocked-" + std::to_string(i), .run = [all_inside](TaskContext& context) {
                  all_inside->count_down();
                  context.SleepFor(absl::Hours(5));
                }});
  }
  all_inside->wait();
  AwaitSuccess(MustSubmit(*supervisor, {.name = "first on the free lane", .run = [] {}}));
  return supervisor;
}

void SubmitWhileBlocked(benchmark::State& state, int64_t blocked) {
  const int64_t tasks = Quick() ? 200 : 20'000;
  const SilentStderr silent;
  const std::unique_ptr<Supervisor> supervisor = MakeBlockedSupervisor(blocked);
  for (auto _ : state) {
    std::atomic<int64_t> calls{0};
    std::vector<TaskHandle> handles;
    handles.reserve(static_cast<size_t>(tasks));
    const Stopwatch stopwatch;
    for (int64_t i = 0; i < tasks; ++i) {
      handles.push_back(MustSubmit(
          *supervisor, {.name = "task-" + std::to_string(i), .run = [&calls] { ++calls; }}));
    }
    for (const TaskHandle& handle : handles) AwaitSuccess(handle);
    ReportEach(state, stopwatch.Seconds(), "ns_per_task", tasks);
    Require(calls == tasks, "a call is missing");
  }
  Require(supervisor->task_count() == static_cast<size_t>(blocked), "a lane was not blocked");
}

void RestartWhileBlocked(benchmark::State& state, int64_t blocked, absl::Duration delay,
                         int64_t restarts) {
  const SilentStderr silent;
  const std::unique_ptr<Supervisor> supervisor = MakeBlockedSupervisor(blocked);
  for (auto _ : state) {
    const absl::Status error = absl::UnavailableError("connection refused");
    int64_t calls = 0;
    const Stopwatch stopwatch;
    AwaitSuccess(MustSubmit(*supervisor,
                            {.name = "worker",
                             .run = [&] { return calls++ < restarts ? error : absl::OkStatus(); },
                             .backoff = BackoffStrategy::Constant(delay)}));
    ReportEach(state, stopwatch.Seconds(), "ns_per_restart", restarts);
    Require(calls == restarts + 1, "a call is missing");
  }
  Require(supervisor->task_count() == static_cast<size_t>(blocked), "a lane was not blocked");
}

void RestartAtOnce(benchmark::State& state, int64_t blocked) {
  RestartWhileBlocked(state, blocked, absl::ZeroDuration(), Quick() ? 200 : 200'000);
}

void RestartLater(benchmark::State& state, int64_t blocked) {
  RestartWhileBlocked(state, blocked, absl::Microseconds(1), Quick() ? 20 : 2'000);
}

// --- R10. Who has threads: `Start` hands over a worker, `AwaitAll` waits for all that were.

class Foxtive {
 public:
  explicit Foxtive(int64_t max_concurrency) : supervisor_(MakeSupervisor(max_concurrency)) {}

  template <typename Function>
  void Start(Function function) {
    handles_.push_back(MustSubmit(
        *supervisor_, {.name = "worker-" + std::to_string(handles_.size()), .run = function}));
  }
  void AwaitAll() {
    for (const TaskHandle& handle : handles_) AwaitSuccess(handle);
    handles_.clear();
  }

 private:
  const std::unique_ptr<Supervisor> supervisor_;
  std::vector<TaskHandle> handles_;
};

class ThreadPool {
 public:
  explicit ThreadPool(int64_t threads) {
    for (int64_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
  }
  ~ThreadPool() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    has_work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  template <typename Function>
  void Start(Function function) {
    {
      const std::lock_guard lock(mutex_);
      queue_.emplace_back(function);
      ++unfinished_;
    }
    has_work_.notify_one();
  }
  void AwaitAll() {
    std::unique_lock lock(mutex_);
    is_through_.wait(lock, [this] { return unfinished_ == 0; });
  }

 private:
  void Loop() {
    std::unique_lock lock(mutex_);
    while (true) {
      has_work_.wait(lock, [this] { return !queue_.empty() || closing_; });
      if (queue_.empty()) return;
      const std::function<void()> function = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      function();
      lock.lock();
      if (--unfinished_ == 0) is_through_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::condition_variable is_through_;
  std::deque<std::function<void()>> queue_;
  int64_t unfinished_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

// Starts a worker on each of so many threads at once. What each one waited, in microseconds.
template <typename Pool>
std::vector<double> StartOnAll(Pool& pool, int64_t threads) {
  std::vector<double> late_us(static_cast<size_t>(threads), -1);
  std::latch all_inside(threads);
  for (double& late : late_us) {
    pool.Start([&late, &all_inside, handed_over = SteadyClock::now()] {
      late = std::chrono::duration<double, std::micro>(SteadyClock::now() - handed_over).count();
      all_inside.arrive_and_wait();
    });
  }
  pool.AwaitAll();
  for (const double late : late_us) Require(late >= 0, "a worker has not begun");
  return late_us;
}

constexpr std::chrono::milliseconds kRest{1};
constexpr std::chrono::milliseconds kFirstRest{20};

template <typename Pool>
void Start(benchmark::State& state, int64_t idle) {
  const int samples = Quick() ? 10 : 500;
  for (auto _ : state) {
    const SilentStderr silent;
    Pool pool(idle);
    StartOnAll(pool, idle);
    std::this_thread::sleep_for(kFirstRest);
    std::vector<double> start_us;
    const Stopwatch stopwatch;
    for (int i = 0; i < samples; ++i) {
      start_us.push_back(StartOnAll(pool, 1).front());
      std::this_thread::sleep_for(kRest);
    }
    state.SetIterationTime(stopwatch.Seconds());
    ReportQuantiles(state, "start_us", std::move(start_us));
  }
}

template <typename Pool>
void Churn(benchmark::State& state, int64_t lanes) {
  const double seconds = Quick() ? 0.1 : 10;
  StartOneTbb();
  for (auto _ : state) {
    const SilentStderr silent;
    const test::BusyHost host;
    double worst_us = 0;
    const Stopwatch stopwatch;
    while (stopwatch.Seconds() < seconds) {
      Pool pool(lanes);
      const std::vector<double> late_us = StartOnAll(pool, lanes);
      worst_us = std::max(worst_us, *std::max_element(late_us.begin(), late_us.end()));
    }
    state.SetIterationTime(stopwatch.Seconds());
    state.counters["start_us_worst"] = worst_us;
  }
}

void AddAll() {
  AddSizes("R9_Submit/Foxtive", &SubmitWhileBlocked, {15, 0, 255});
  AddSizes("R9_Restart/Foxtive", &RestartAtOnce, {15, 0, 255});
  AddSizes("R9_DelayedRestart/Foxtive", &RestartLater, {15, 0, 255});
  AddSizes("R10_Start/Foxtive", &Start<Foxtive>, {8, 1, 64});
  AddSizes("R10_Start/ThreadPool", &Start<ThreadPool>, {8, 1, 64});
  AddSizes("R10_Churn/Foxtive", &Churn<Foxtive>, {4, 16, 64});
  AddSizes("R10_Churn/ThreadPool", &Churn<ThreadPool>, {4, 64});
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  return foxtive::benchmarks::Main(argc, argv, &foxtive::benchmarks::AddAll);
}
