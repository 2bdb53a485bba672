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
// failures comes before each repetition, so that threads are there. See restart.h.
//
// restart_with_peers has a thread pool of Boost.Asio's as well: restart_peers.cc.

#include "benchmarks/restart.h"

#include <oneapi/tbb/task_arena.h>

#include <cstdint>
#include <deque>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "benchmarks/harness.h"
#include "benchmarks/onetbb_host.h"
#include "foxtive/supervisor.h"

namespace foxtive::benchmarks {
namespace {

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

void AddAll() {
  AddOne<BareOneTbb>("BareOneTbb");
  AddOne<Foxtive>("Foxtive");
  AddOne<Thread>("Thread");
  AddMany<BareOneTbb>("BareOneTbb");
  AddMany<Foxtive>("Foxtive");
  AddMany<FoxtiveFewLanes>("FoxtiveFewLanes");
  AddMany<Thread>("Thread", {100, 1'000, 3'000});
  if (AddRestartsOfPeers != nullptr) AddRestartsOfPeers();
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  return foxtive::benchmarks::Main(argc, argv, &foxtive::benchmarks::AddAll);
}
