// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// How long it takes to stop workers that block.
//
//   R8_Shutdown/<who>/<workers>    us_per_shutdown: so many workers sleep for hours, each on a
//                                  thread; from the order to stop until all are over
//
//   Foxtive    a Supervisor with max_concurrency = workers; they are in TaskContext::SleepFor, and
//              Shutdown is called
//   Thread     std::jthreads, each of which waits for hours on a std::condition_variable_any of its
//              own with its stop token; all are asked to stop, then all are joined
//
// Both check that each worker has begun to sleep, or is about to, and was woken by the stop.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "benchmarks/harness.h"
#include "foxtive/supervisor.h"

namespace foxtive::benchmarks {
namespace {

constexpr std::chrono::milliseconds kFallingAsleep{20};

struct Counts {
  std::atomic<int64_t> asleep{0};
  std::atomic<int64_t> stopped{0};
};

void AwaitSleep(const Counts& counts, int64_t workers) {
  while (counts.asleep < workers) std::this_thread::yield();
  // Each of them has yet to get from its count to its wait.
  std::this_thread::sleep_for(kFallingAsleep);
}

// Both return the seconds that it took.
double StopSupervisor(Counts& counts, int64_t workers) {
  const SilentStderr silent;
  auto supervisor = Supervisor::Create({.max_concurrency = static_cast<int>(workers)});
  Require(supervisor.ok(), "Create failed");
  for (int64_t i = 0; i < workers; ++i) {
    const auto handle =
        (*supervisor)->Submit("sleeper-" + std::to_string(i), [&counts](TaskContext& context) {
          ++counts.asleep;
          if (!context.SleepFor(absl::Hours(5))) ++counts.stopped;
        });
    Require(handle.ok(), "Submit failed");
  }
  AwaitSleep(counts, workers);
  const Stopwatch stopwatch;
  Require((*supervisor)->Shutdown().ok(), "a worker has not returned");
  return stopwatch.Seconds();
}

double StopThreads(Counts& counts, int64_t workers) {
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<size_t>(workers));
  for (int64_t i = 0; i < workers; ++i) {
    threads.emplace_back([&counts](const std::stop_token& stop) {
      std::mutex mutex;
      std::condition_variable_any never;
      std::unique_lock lock(mutex);
      ++counts.asleep;
      never.wait_for(lock, stop, std::chrono::hours(5), [] { return false; });
      if (stop.stop_requested()) ++counts.stopped;
    });
  }
  AwaitSleep(counts, workers);
  const Stopwatch stopwatch;
  for (std::jthread& thread : threads) thread.request_stop();
  for (std::jthread& thread : threads) thread.join();
  return stopwatch.Seconds();
}

template <double (*kStop)(Counts&, int64_t)>
void Shutdown(benchmark::State& state, int64_t workers) {
  for (auto _ : state) {
    Counts counts;
    const double seconds = kStop(counts, workers);
    state.SetIterationTime(seconds);
    state.counters["us_per_shutdown"] = seconds * 1e6;
    Require(counts.stopped == workers, "a worker was not stopped");
  }
}

void AddAll() {
  AddSizes("R8_Shutdown/Foxtive", &Shutdown<&StopSupervisor>, {10, 100, 1'000});
  AddSizes("R8_Shutdown/Thread", &Shutdown<&StopThreads>, {10, 100, 1'000});
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  return foxtive::benchmarks::Main(argc, argv, &foxtive::benchmarks::AddAll);
}
