// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What restart.cc and restart_peers.cc let each who do: the same workers, the same failures, the
// same check.
//
// A Runner has
//   template <typename Worker> void Run(std::deque<Worker>& workers)
// which calls each worker until it has succeeded. It is made anew for each repetition, and has run
// a few failures before time counts.

#ifndef FOXTIVE_BENCHMARKS_RESTART_H_
#define FOXTIVE_BENCHMARKS_RESTART_H_

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "benchmarks/harness.h"

namespace foxtive::benchmarks {

constexpr int64_t kFailuresOfMany = 200;
constexpr int64_t kFailuresToWarmUp = 10;

// --- Workers. On cache lines of their own, so that no thread pays for what another one counts.

constexpr size_t kCacheLine = 64;

class alignas(kCacheLine) FailingWorker {
 public:
  explicit FailingWorker(int64_t failures) : failures_(failures) {}

  absl::Status operator()() {
    if (calls_++ == failures_) return absl::OkStatus();
    return error_;
  }
  int64_t calls() const { return calls_; }

 private:
  const absl::Status error_ = absl::UnavailableError("connection refused");
  const int64_t failures_;
  int64_t calls_ = 0;
};

class alignas(kCacheLine) ThrowingWorker {
 public:
  explicit ThrowingWorker(int64_t failures) : failures_(failures) {}

  absl::Status operator()() {
    if (calls_++ == failures_) return absl::OkStatus();
    throw std::runtime_error("connection refused");
  }
  int64_t calls() const { return calls_; }

 private:
  const int64_t failures_;
  int64_t calls_ = 0;
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

// --- What is measured.

template <typename Worker>
std::deque<Worker> MakeWorkers(int64_t count, int64_t failures) {
  std::deque<Worker> workers;
  for (int64_t i = 0; i < count; ++i) workers.emplace_back(failures);
  return workers;
}

template <typename Runner, typename Worker>
void Restart(benchmark::State& state, int64_t count, int64_t failures) {
  Runner runner;
  std::deque<Worker> warm_up = MakeWorkers<Worker>(count, kFailuresToWarmUp);
  runner.Run(warm_up);
  for (auto _ : state) {
    std::deque<Worker> workers = MakeWorkers<Worker>(count, failures);
    const Stopwatch stopwatch;
    runner.Run(workers);
    ReportEach(state, stopwatch.Seconds(), "ns_per_restart", count * failures);
    for (const Worker& worker : workers) {
      Require(worker.calls() == failures + 1, "a call is missing, or one too many");
    }
  }
}

template <typename Runner, typename Worker>
void RestartOne(benchmark::State& state, int64_t restarts) {
  Restart<Runner, Worker>(state, 1, restarts);
}

template <typename Runner, typename Worker>
void RestartMany(benchmark::State& state, int64_t workers) {
  Restart<Runner, Worker>(state, workers, kFailuresOfMany);
}

template <typename Runner>
void AddOne(const std::string& who) {
  AddSizes("R1_Error/" + who, &RestartOne<Runner, FailingWorker>, {2'000, 20'000, 200'000});
  AddSizes("R2_Exception/" + who, &RestartOne<Runner, ThrowingWorker>, {2'000, 20'000, 200'000});
}

// Threads by the thousand are enough.
template <typename Runner>
void AddMany(const std::string& who,
             std::initializer_list<int64_t> workers = {100, 1'000, 10'000}) {
  AddSizes("R3_Errors/" + who, &RestartMany<Runner, FailingWorker>, workers);
  AddSizes("R3_Exceptions/" + who, &RestartMany<Runner, ThrowingWorker>, workers);
}

// In restart_peers.cc; null in a binary without it.
[[gnu::weak]] void AddRestartsOfPeers();

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_RESTART_H_
