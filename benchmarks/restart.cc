// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a restart costs, beside what it costs without a supervisor. Workers fail many times without
// a delay, then succeed. ns_per_restart: from the start of the first worker until the end of the
// last one is known, by the failures of all.
//
//   R1_Error/<who>/<restarts>        one worker, which returns a status that was made before
//   R2_Exception/<who>/<restarts>    one worker, which throws a std::runtime_error
//   R3_Errors/<who>/<workers>        so many workers as in R1, which fail 200 times each
//   R3_Exceptions/<who>/<workers>    so many as in R2
//
//   Foxtive            a Supervisor with default options: up to 256 lanes
//   FoxtiveFewLanes    R3: the same with max_concurrency = cores
//   BareOneTbb         a failed worker is enqueued again, by itself: in R1 and R2 to a oneTBB arena
//                      with one slot, in R3 to one with a thread for each core
//   Thread             a std::thread for each worker, which calls it in a loop with try and catch
//
// The last two do nothing else: no name, no policy, no hooks, no stop, no result but the end. All
// call the same worker, and check that it has been called as often as it should. A run with a few
// failures comes before each repetition, so that threads are there.

#include <oneapi/tbb/task_arena.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "benchmarks/harness.h"
#include "benchmarks/onetbb_host.h"
#include "foxtive/supervisor.h"

namespace foxtive::benchmarks {
namespace {

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

// --- Who runs them, until all have succeeded.

class Foxtive {
 public:
  Foxtive() : Foxtive(SupervisorOptions{}) {}

  template <typename Worker>
  void Run(std::deque<Worker>& workers) {
    std::vector<TaskHandle> handles;
    handles.reserve(workers.size());
    for (Worker& worker : workers) {
      absl::StatusOr<TaskHandle> handle =
          supervisor_->Submit({.name = "worker-" + std::to_string(handles.size()),
                               .run = [&worker] { return worker(); },
                               .backoff = BackoffStrategy::Constant(absl::ZeroDuration())});
      Require(handle.ok(), "Submit failed");
      handles.push_back(*std::move(handle));
    }
    for (const TaskHandle& handle : handles) {
      const auto result = handle.Wait();
      Require(result.ok() && result->final_status == SupervisionStatus::kCompletedNormally,
              "no success");
    }
  }

 protected:
  explicit Foxtive(SupervisorOptions options) {
    auto supervisor = Supervisor::Create(std::move(options));
    Require(supervisor.ok(), "Create failed");
    supervisor_ = *std::move(supervisor);
  }

 private:
  const SilentStderr silent_;  // until the Supervisor has told all
  std::unique_ptr<Supervisor> supervisor_;
};

class FoxtiveFewLanes : public Foxtive {
 public:
  FoxtiveFewLanes()
      : Foxtive({.max_concurrency = static_cast<int>(std::thread::hardware_concurrency())}) {}
};

struct Thread {
  template <typename Worker>
  void Run(std::deque<Worker>& workers) {
    std::vector<std::thread> threads;
    threads.reserve(workers.size());
    for (Worker& worker : workers) {
      threads.emplace_back([&worker] {
        while (!Try(worker)) continue;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

struct BareOneTbb {
  template <typename Worker>
  void Run(std::deque<Worker>& workers) {
    tbb::task_arena& arena = workers.size() == 1 ? ArenaOfOneThread() : ArenaOfAllCores();
    std::latch done(static_cast<std::ptrdiff_t>(workers.size()));
    for (Worker& worker : workers) arena.enqueue(Job<Worker>{arena, worker, done});
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

void AddAll() {
  AddOne<BareOneTbb>("BareOneTbb");
  AddOne<Foxtive>("Foxtive");
  AddOne<Thread>("Thread");
  AddMany<BareOneTbb>("BareOneTbb");
  AddMany<Foxtive>("Foxtive");
  AddMany<FoxtiveFewLanes>("FoxtiveFewLanes");
  AddMany<Thread>("Thread", {100, 1'000, 3'000});
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  return foxtive::benchmarks::Main(argc, argv, &foxtive::benchmarks::AddAll);
}
