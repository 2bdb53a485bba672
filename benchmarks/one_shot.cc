// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Tasks that are over at once: what it costs to hand them over and to have their results.
//
//   R5_OneShot/<who>/<tasks>           one thread submits so many tasks that succeed, takes the
//                                      future of each at once, and when all are submitted the
//                                      result of each. ns_per_task, for all that
//   C1_SubmitAndStop/<who>/<threads>   so many threads share 48,000 tasks that would sleep for
//                                      hours; each submits one, asks it to stop, and goes on to the
//                                      next, whether it has begun or not. ns_per_task, until all
//                                      are over: by the clock, so it grows if threads are in each
//                                      other's way
//
//   Foxtive       a Supervisor with default options: up to 256 lanes. The names are made on the way
//   BareOneTbb    each task is enqueued to an arena with a thread on each core, and sets a
//                 std::promise. C1: its stop is a flag that it looks at when it begins, and it
//                 does not sleep if it is not set, since nothing could wake it
//   Async         std::async with a thread for each task
//
// All check that each task has run, or was stopped, once. Each repetition does a part of its work
// in advance, so that threads are there.
//
// one_shot_with_peers has a thread pool of Boost.Asio's as well: one_shot_peers.cc.

#include "benchmarks/one_shot.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <latch>
#include <memory>
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

// --- R5.

class Foxtive {
 public:
  void Run(Marks& marks) {
    std::vector<std::shared_future<SupervisionResult>> futures;
    futures.reserve(marks.size());
    for (size_t i = 0; i < marks.size(); ++i) {
      absl::StatusOr<TaskHandle> handle =
          supervisor_.Submit("task-" + std::to_string(i), [&marks, i] { return Mark(marks, i); });
      Require(handle.ok(), "Submit failed");
      futures.push_back(handle->future());
    }
    for (const auto& future : futures) {
      Require(future.get().final_status == SupervisionStatus::kCompletedNormally, "no success");
    }
  }

 private:
  Supervisor supervisor_;
};

struct BareOneTbb {
  void Run(Marks& marks) {
    std::vector<std::future<absl::Status>> futures;
    futures.reserve(marks.size());
    for (size_t i = 0; i < marks.size(); ++i) {
      std::promise<absl::Status> promise;
      futures.push_back(promise.get_future());
      ArenaOfAllCores().enqueue(Job{marks, i, std::move(promise)});
    }
    for (auto& future : futures) Require(future.get().ok(), "no success");
  }

  struct Job {
    void operator()() const { promise.set_value(Mark(marks, i)); }
    Marks& marks;
    size_t i;
    mutable std::promise<absl::Status> promise;  // oneTBB calls what is const
  };
};

struct Async {
  void Run(Marks& marks) {
    std::vector<std::future<absl::Status>> futures;
    futures.reserve(marks.size());
    for (size_t i = 0; i < marks.size(); ++i) {
      futures.push_back(std::async(std::launch::async, &Mark, std::ref(marks), i));
    }
    for (auto& future : futures) Require(future.get().ok(), "no success");
  }
};

// --- C1.

int64_t TasksToStop() { return Quick() ? 960 : 48'000; }

class FoxtiveStopper {
 public:
  void SubmitAndStop(const std::string& prefix, int64_t count) {
    std::vector<TaskHandle> handles;
    handles.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      absl::StatusOr<TaskHandle> handle =
          supervisor_.Submit(prefix + std::to_string(i),
                             [](TaskContext& context) { context.SleepFor(absl::Hours(5)); });
      Require(handle.ok(), "Submit failed");
      Require(handle->RequestStop(), "it is over, or somebody else has stopped it");
      handles.push_back(*std::move(handle));
    }
    for (const TaskHandle& handle : handles) {
      Require(handle.Wait()->final_status == SupervisionStatus::kManuallyStopped, "not stopped");
    }
  }

 private:
  const SilentStderr silent_;  // until the Supervisor has told all
  Supervisor supervisor_;
};

class BareOneTbbStopper {
 public:
  void SubmitAndStop(const std::string& /*prefix*/, int64_t count) {
    std::vector<std::future<bool>> futures;
    futures.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      auto task = std::make_shared<Task>();
      futures.push_back(task->was_stopped.get_future());
      ArenaOfAllCores().enqueue([task] { task->was_stopped.set_value(task->stop); });
      task->stop = true;
    }
    for (auto& future : futures) benchmark::DoNotOptimize(future.get());
  }

 private:
  struct Task {
    std::atomic<bool> stop{false};
    std::promise<bool> was_stopped;
  };
};

// The clock runs from the moment at which all threads are there until the last one is through.
template <typename Stopper>
void Contention(benchmark::State& state, int64_t thread_count) {
  Stopper stopper;
  stopper.SubmitAndStop("warm-up-", TasksToStop() / thread_count);
  for (auto _ : state) {
    std::latch all_there(thread_count + 1);
    std::latch all_through(thread_count);
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < thread_count; ++i) {
      threads.emplace_back([&, prefix = "task-" + std::to_string(i) + "-"] {
        all_there.arrive_and_wait();
        stopper.SubmitAndStop(prefix, TasksToStop() / thread_count);
        all_through.count_down();
      });
    }
    all_there.arrive_and_wait();
    const Stopwatch stopwatch;
    all_through.wait();
    ReportEach(state, stopwatch.Seconds(), "ns_per_task", TasksToStop());
    for (std::thread& thread : threads) thread.join();
  }
}

void AddAll() {
  AddSizes("R5_OneShot/BareOneTbb", &OneShot<BareOneTbb>, {2'000, 20'000, 200'000});
  AddSizes("R5_OneShot/Foxtive", &OneShot<Foxtive>, {2'000, 20'000, 200'000});
  AddSizes("R5_OneShot/Async", &OneShot<Async>, {200, 2'000});
  if (AddOneShotsOfPeers != nullptr) AddOneShotsOfPeers();
  AddSizes("C1_SubmitAndStop/BareOneTbb", &Contention<BareOneTbbStopper>, {4, 1, 2, 8, 16});
  AddSizes("C1_SubmitAndStop/Foxtive", &Contention<FoxtiveStopper>, {4, 1, 2, 8, 16});
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  return foxtive::benchmarks::Main(argc, argv, &foxtive::benchmarks::AddAll);
}
