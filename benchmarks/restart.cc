// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a restart costs, beside what it costs without a supervisor. One worker fails many times and
// then succeeds.
//
//   Error/..., Exception/...   200,000 failures without a delay: by a status that was made before,
//                              by a thrown std::runtime_error. ns_per_restart, from the start of
//                              the worker until its end is known.
//   Lateness/...               200 failures with a delay of 5 ms: late_us_p50 and late_us_p99, from
//                              the end of an attempt plus 5 ms until the worker is called again.
//
//   .../Foxtive     a Supervisor with default options
//   .../Thread      a std::thread that calls the worker in a loop with try and catch; with a delay
//                   it waits on a condition variable that nobody notifies, as a loop does that can
//                   be stopped
//   .../BareOneTbb  a oneTBB arena with one slot; the failed worker is enqueued again, by itself
//
// The last two do nothing else: no name, no policy, no hooks, no stop, no result but the end. All
// call the same worker and check that it has been called as often as it should. While the library
// runs, standard error is /dev/null: the few lines that it writes are made and written, and no
// terminal is waited for.
//
//   restart [--quick] [option of Google Benchmark...]
//
// Without options: seven repetitions of each, in random order. --quick: as little as possible.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <oneapi/tbb/task_arena.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"

namespace foxtive {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kDelay{5};

bool g_quick = false;

size_t Restarts() { return g_quick ? 1'000 : 200'000; }
size_t DelayedRestarts() { return g_quick ? 10 : 200; }

// A number for work that was not done must not be printed.
void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "the benchmark is broken: %s\n", what);
  std::abort();
}

class SilentStderr {
 public:
  SilentStderr() : former_(dup(STDERR_FILENO)) {
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
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

// --- Workers.

class FailingWorker {
 public:
  explicit FailingWorker(size_t failures) : failures_(failures) {}

  absl::Status operator()() {
    if (calls_++ == failures_) return absl::OkStatus();
    return error_;
  }
  size_t calls() const { return calls_; }

 private:
  const absl::Status error_ = absl::UnavailableError("connection refused");
  const size_t failures_;
  size_t calls_ = 0;
};

class ThrowingWorker {
 public:
  explicit ThrowingWorker(size_t failures) : failures_(failures) {}

  absl::Status operator()() {
    if (calls_++ == failures_) return absl::OkStatus();
    throw std::runtime_error("connection refused");
  }
  size_t calls() const { return calls_; }

 private:
  const size_t failures_;
  size_t calls_ = 0;
};

class PunctualWorker {
 public:
  explicit PunctualWorker(size_t failures) : worker_(failures) { late_us_.reserve(failures); }

  absl::Status operator()() {
    const SteadyClock::time_point now = SteadyClock::now();
    if (calls() > 0) {
      late_us_.push_back(std::chrono::duration<double, std::micro>(now - ended_ - kDelay).count());
    }
    absl::Status status = worker_();
    ended_ = SteadyClock::now();
    return status;
  }
  size_t calls() const { return worker_.calls(); }
  const std::vector<double>& late_us() const { return late_us_; }

 private:
  FailingWorker worker_;
  SteadyClock::time_point ended_;
  std::vector<double> late_us_;
};

// True: it has succeeded.
template <typename Worker>
bool Try(Worker& worker) {
  try {
    return worker().ok();
  } catch (const std::exception& error) {
    benchmark::DoNotOptimize(error.what());
    return false;
  }
}

// --- Who runs them.

struct Foxtive {
  template <typename Worker>
  static void Run(Worker& worker, std::chrono::milliseconds delay) {
    static Supervisor& supervisor = *new Supervisor;
    const SilentStderr silent;
    const absl::StatusOr<TaskHandle> handle =
        supervisor.Submit({.name = "worker",
                           .run = [&worker] { return worker(); },
                           .backoff = BackoffStrategy::Constant(absl::FromChrono(delay))});
    Require(handle.ok(), "Submit failed");
    Require(handle->Wait()->final_status == SupervisionStatus::kCompletedNormally, "no success");
  }
};

struct Thread {
  template <typename Worker>
  static void Run(Worker& worker, std::chrono::milliseconds delay) {
    std::thread([&worker, delay] {
      std::mutex mutex;
      std::condition_variable stopped;
      while (!Try(worker)) {
        if (delay.count() == 0) continue;
        std::unique_lock lock(mutex);
        stopped.wait_for(lock, delay, [] { return false; });
      }
    }).join();
  }
};

struct BareOneTbb {
  template <typename Worker>
  static void Run(Worker& worker, std::chrono::milliseconds /*none*/) {
    static tbb::task_arena& arena = *new tbb::task_arena(1, 0);
    std::latch done(1);
    arena.enqueue(Job<Worker>{arena, worker, done});
    done.wait();
  }

  template <typename Worker>
  struct Job {
    void operator()() const {
      if (Try(worker)) {
        done.count_down();
      } else {
        arena.enqueue(*this);
      }
    }
    tbb::task_arena& arena;
    Worker& worker;
    std::latch& done;
  };
};

// --- What is measured.

template <typename Runner, typename Worker>
void Restart(benchmark::State& state) {
  Worker warm_up(10);
  Runner::Run(warm_up, {});
  for (auto _ : state) {
    Worker worker(Restarts());
    const SteadyClock::time_point start = SteadyClock::now();
    Runner::Run(worker, {});
    const std::chrono::duration<double> taken = SteadyClock::now() - start;
    Require(worker.calls() == Restarts() + 1, "a call is missing");
    state.SetIterationTime(taken.count());
    state.counters["ns_per_restart"] = taken.count() * 1e9 / static_cast<double>(Restarts());
  }
}

template <typename Runner>
void Lateness(benchmark::State& state) {
  for (auto _ : state) {
    PunctualWorker worker(DelayedRestarts());
    Runner::Run(worker, kDelay);
    std::vector<double> late_us = worker.late_us();
    Require(late_us.size() == DelayedRestarts(), "a call is missing");
    std::sort(late_us.begin(), late_us.end());
    Require(late_us.front() >= 0, "a restart was early");
    state.counters["late_us_p50"] = late_us[late_us.size() / 2];
    state.counters["late_us_p99"] = late_us[late_us.size() * 99 / 100];
  }
}

template <typename Function>
void Add(const char* name, Function function) {
  benchmark::RegisterBenchmark(name, function)->Iterations(1)->UseManualTime();
}

void AddAll() {
  Add("Error/BareOneTbb", &Restart<BareOneTbb, FailingWorker>);
  Add("Error/Foxtive", &Restart<Foxtive, FailingWorker>);
  Add("Error/Thread", &Restart<Thread, FailingWorker>);
  Add("Exception/BareOneTbb", &Restart<BareOneTbb, ThrowingWorker>);
  Add("Exception/Foxtive", &Restart<Foxtive, ThrowingWorker>);
  Add("Exception/Thread", &Restart<Thread, ThrowingWorker>);
  benchmark::RegisterBenchmark("Lateness/Foxtive", &Lateness<Foxtive>)->Iterations(1);
  benchmark::RegisterBenchmark("Lateness/Thread", &Lateness<Thread>)->Iterations(1);
}

}  // namespace
}  // namespace foxtive

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  char repetitions[] = "--benchmark_repetitions=7";
  char interleaved[] = "--benchmark_enable_random_interleaving=true";
  char medians[] = "--benchmark_report_aggregates_only=true";
  if (argc > 1 && std::string_view(argv[1]) == "--quick") {
    foxtive::g_quick = true;
    arguments.erase(arguments.begin() + 1);
  } else if (argc == 1) {
    arguments.insert(arguments.end(), {repetitions, interleaved, medians});
  }
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  foxtive::AddAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
