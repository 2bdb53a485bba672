// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The pieces of code in the README, compiled and run. readme_test.sh holds the two together.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <latch>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "oneapi/tbb/parallel_for.h"
#include "oneapi/tbb/task_arena.h"

namespace {

// Blocks in ReadMessage until it is closed.
class Connection {
 public:
  absl::Status ReadMessage() {
    reading_.count_down();
    closed_.wait(false);
    return absl::CancelledError("closed");
  }
  void Close() {
    closed_ = true;
    closed_.notify_all();
  }
  void AwaitReader() { reading_.wait(); }

 private:
  std::latch reading_{1};
  std::atomic<bool> closed_{false};
};

foxtive::TaskSpec FeedSpec(const std::shared_ptr<Connection>& connection) {
  foxtive::TaskSpec spec{.name = "feed"};
  spec.run = [connection](std::stop_token stop) -> absl::Status {
    while (!stop.stop_requested()) {
      if (absl::Status status = connection->ReadMessage(); !status.ok()) return status;
    }
    return absl::OkStatus();
  };
  spec.hooks.on_shutdown = [connection] { connection->Close(); };  // ends a ReadMessage that blocks
  spec.stop_timeout = absl::Seconds(5);
  return spec;
}

TEST(ReadmeTest, Stopping) {
  const auto connection = std::make_shared<Connection>();
  foxtive::Supervisor supervisor;
  foxtive::TaskSpec spec = FeedSpec(connection);
  spec.stop_timeout = absl::InfiniteDuration();  // a busy machine is no reason to fail
  const absl::StatusOr<foxtive::TaskHandle> task = supervisor.Submit(std::move(spec));
  ASSERT_TRUE(task.ok()) << task.status();
  connection->AwaitReader();
  EXPECT_TRUE(task->RequestStop());
  EXPECT_EQ(task->Wait()->final_status, foxtive::SupervisionStatus::kManuallyStopped);
}

absl::Status Consume(const std::string& topic, foxtive::TaskContext& context) {
  if (topic == "short") return absl::OkStatus();
  context.SleepFor(absl::InfiniteDuration());
  return absl::OkStatus();
}

absl::Status Serve(foxtive::Supervisor& supervisor, const std::vector<std::string>& topics) {
  for (const std::string& topic : topics) {
    absl::StatusOr<foxtive::TaskHandle> task = supervisor.Register(
        {.name = topic,
         .run = [topic](foxtive::TaskContext& context) { return Consume(topic, context); },
         .backoff = foxtive::BackoffStrategy::Exponential().WithJitter(0.2)});
    if (!task.ok()) return task.status();
  }
  if (absl::Status status = supervisor.StartAll(); !status.ok()) return status;
  const absl::StatusOr<foxtive::SupervisionResult> first = supervisor.WaitAny();
  return supervisor.Shutdown(absl::Seconds(10));
}

TEST(ReadmeTest, ManyTasks) {
  foxtive::Supervisor supervisor;
  EXPECT_EQ(Serve(supervisor, {"long", "short", "longer"}), absl::OkStatus());
}

// In a child of a worker: its exit status says whether SIGTERM is blocked.
int ChildsExit() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);  // in the child, between fork and exec
  sigset_t now;
  sigprocmask(SIG_SETMASK, nullptr, &now);
  return sigismember(&now, SIGTERM);
}

TEST(ReadmeTest, SignalMaskOfAChildProcess) {
  foxtive::Supervisor supervisor;
  std::atomic<int> status{-1};
  const auto task = supervisor.Submit({.name = "spawner", .run = [&status] {
                                         const pid_t child = fork();
                                         if (child == 0) _exit(ChildsExit());
                                         int exit_status = -1;
                                         waitpid(child, &exit_status, 0);
                                         status = exit_status;
                                       }});
  ASSERT_TRUE(task.ok());
  ASSERT_TRUE(task->Wait().ok());
  EXPECT_EQ(status, 0);
}

std::atomic<int> worked{0};

void Work(int) { ++worked; }

void ComputeInParallel(tbb::task_arena& compute, int n) {
  compute.execute([&] {
    tbb::this_task_arena::isolate([&] { tbb::parallel_for(0, n, [&](int i) { Work(i); }); });
  });
}

TEST(ReadmeTest, ParallelWork) {
  foxtive::Supervisor supervisor;
  tbb::task_arena compute;
  const auto task = supervisor.Submit(
      {.name = "cruncher", .run = [&compute] { ComputeInParallel(compute, 1000); }});
  ASSERT_TRUE(task.ok());
  EXPECT_EQ(task->Wait()->final_status, foxtive::SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(worked, 1000);
}

}  // namespace
