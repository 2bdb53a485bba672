// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// How late a restart with a delay is. One worker fails 200 times with a backoff of 5 ms:
// late_us_p50 and late_us_p99, from the end of an attempt plus 5 ms until the worker is called
// again.
//
//   R4_Lateness/<who>/<others>    while so many other tasks, which have failed too, wait for their
//                                 next attempt, which is hours away
//
//   Foxtive    a Supervisor with default options
//   Thread     a std::thread that calls the worker in a loop; it waits on a condition variable that
//              nobody notifies, as a loop does that can be stopped. Alone
//
// Both call the same worker, and check that it has been called as often as it should, never early.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
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

constexpr std::chrono::milliseconds kDelay{5};

size_t Restarts() { return Quick() ? 10 : 200; }

class PunctualWorker {
 public:
  explicit PunctualWorker(size_t failures) : failures_(failures) { late_us_.reserve(failures); }

  absl::Status operator()() {
    const SteadyClock::time_point now = SteadyClock::now();
    if (calls_ > 0) {
      late_us_.push_back(std::chrono::duration<double, std::micro>(now - ended_ - kDelay).count());
    }
    absl::Status status = calls_++ == failures_ ? absl::OkStatus() : error_;
    ended_ = SteadyClock::now();
    return status;
  }
  const std::vector<double>& late_us() const { return late_us_; }

 private:
  const absl::Status error_ = absl::UnavailableError("connection refused");
  const size_t failures_;
  size_t calls_ = 0;
  SteadyClock::time_point ended_;
  std::vector<double> late_us_;
};

// A Supervisor in which `count` tasks wait.
std::unique_ptr<Supervisor> MakeSupervisor(int64_t count) {
  auto supervisor = std::make_unique<Supervisor>();
  std::vector<TaskHandle> handles;
  handles.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    absl::StatusOr<TaskHandle> handle =
        supervisor->Submit({.name = "other-" + std::to_string(i),
                            .run = [] { return absl::UnavailableError("connection refused"); },
                            .backoff = BackoffStrategy::Constant(absl::Hours(5))});
    Require(handle.ok(), "Submit failed");
    handles.push_back(*std::move(handle));
  }
  for (const TaskHandle& handle : handles) {
    while (handle.state() != TaskState::kBackingOff) std::this_thread::yield();
  }
  return supervisor;
}

void RunSupervised(PunctualWorker& worker, int64_t others) {
  const SilentStderr silent;
  const std::unique_ptr<Supervisor> supervisor = MakeSupervisor(others);
  const absl::StatusOr<TaskHandle> handle =
      supervisor->Submit({.name = "worker",
                          .run = [&worker] { return worker(); },
                          .backoff = BackoffStrategy::Constant(absl::FromChrono(kDelay))});
  Require(handle.ok(), "Submit failed");
  Require(handle->Wait()->final_status == SupervisionStatus::kCompletedNormally, "no success");
  Require(supervisor->task_count() == static_cast<size_t>(others), "the others did not wait");
}

void RunInThread(PunctualWorker& worker, int64_t /*others*/) {
  std::thread([&worker] {
    std::mutex mutex;
    std::condition_variable stopped;
    while (!worker().ok()) {
      std::unique_lock lock(mutex);
      stopped.wait_for(lock, kDelay, [] { return false; });
    }
  }).join();
}

template <void (*kRun)(PunctualWorker&, int64_t)>
void Lateness(benchmark::State& state, int64_t others) {
  for (auto _ : state) {
    PunctualWorker worker(Restarts());
    const Stopwatch stopwatch;
    kRun(worker, others);
    state.SetIterationTime(stopwatch.Seconds());
    Require(worker.late_us().size() == Restarts(), "a call is missing");
    for (const double late_us : worker.late_us()) Require(late_us >= 0, "a restart was early");
    ReportQuantiles(state, "late_us", worker.late_us());
  }
}

void AddAll() {
  AddSizes("R4_Lateness/Foxtive", &Lateness<&RunSupervised>, {1'000, 0, 10'000, 100'000});
  AddSizes("R4_Lateness/Thread", &Lateness<&RunInThread>, {0});
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  return foxtive::benchmarks::Main(argc, argv, &foxtive::benchmarks::AddAll);
}
