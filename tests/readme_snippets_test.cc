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
#include <thread>
#include <utility>
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

std::atomic<bool> consumes = false;

absl::Status ConsumeUntilStopped(foxtive::TaskContext& context) {
  consumes = true;
  context.SleepFor(absl::InfiniteDuration());
  consumes = false;
  return absl::OkStatus();
}

absl::Status KeepUpUntilStopped(foxtive::TaskContext& context) {
  context.SleepFor(absl::InfiniteDuration());
  return consumes ? absl::InternalError("stopped before the consumer") : absl::OkStatus();
}

TEST(ReadmeTest, StoppingInOrder) {
  foxtive::TaskSpec consumer{.name = "consumer", .run = ConsumeUntilStopped};  // stop_order 0
  foxtive::TaskSpec link{.name = "link", .run = KeepUpUntilStopped, .stop_order = 1};
  foxtive::Supervisor supervisor;
  const absl::StatusOr<foxtive::TaskHandle> first = supervisor.Submit(std::move(consumer));
  const absl::StatusOr<foxtive::TaskHandle> second = supervisor.Submit(std::move(link));
  ASSERT_TRUE(first.ok() && second.ok());
  while (!consumes || second->attempts() == 0) std::this_thread::yield();
  EXPECT_TRUE(supervisor.Shutdown(absl::InfiniteDuration()).ok());
  EXPECT_EQ(second->Wait()->last_error, absl::OkStatus());
}

// Moves two, and then blocks for as long as it lives.
class Source {
 public:
  absl::Status MoveOne() {
    if (++moved_ <= 2) return absl::OkStatus();
    blocked_.count_down();
    closed_.wait(false);
    return absl::UnavailableError("closed");
  }
  void AwaitBlocked() { blocked_.wait(); }
  void Close() {
    closed_ = true;
    closed_.notify_all();
  }

 private:
  int moved_ = 0;
  std::latch blocked_{1};
  std::atomic<bool> closed_{false};
};

foxtive::TaskSpec PumpSpec(const std::shared_ptr<Source>& source) {
  foxtive::TaskSpec spec{.name = "pump"};
  spec.run = [source](foxtive::TaskContext& context) -> absl::Status {
    while (!context.stop_requested()) {
      if (absl::Status status = source->MoveOne(); !status.ok()) return status;
      context.Heartbeat();  // a look at the clock and a store
    }
    return absl::OkStatus();
  };
  spec.heartbeat_timeout = absl::Seconds(30);
  spec.on_stuck = foxtive::OnStuck::kRestart;
  return spec;
}

// stuck_test.cc has what comes after thirty seconds.
TEST(ReadmeTest, Hanging) {
  const auto source = std::make_shared<Source>();
  foxtive::Supervisor supervisor;
  const absl::StatusOr<foxtive::TaskHandle> task = supervisor.Submit(PumpSpec(source));
  ASSERT_TRUE(task.ok()) << task.status();
  source->AwaitBlocked();
  EXPECT_TRUE(task->RequestStop());
  source->Close();
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

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string id() const = 0;
  virtual absl::Status Open() { return absl::OkStatus(); }
  virtual void Poll() = 0;
  virtual void Interrupt() {}
  virtual void Close() {}
};

// Blocks in Poll until it is interrupted.
class LineDevice : public Device {
 public:
  LineDevice(std::string id, std::atomic<int>& closed) : id_(std::move(id)), closed_(closed) {}
  std::string id() const override { return id_; }
  void Poll() override { interrupted_.wait(false); }
  void Interrupt() override {
    interrupted_ = true;
    interrupted_.notify_all();
  }
  void Close() override { ++closed_; }

 private:
  const std::string id_;
  std::atomic<int>& closed_;
  std::atomic<bool> interrupted_{false};
};

class SupervisedDevice : public foxtive::SupervisedTask {
 public:
  explicit SupervisedDevice(std::unique_ptr<Device> device) : device_(std::move(device)) {}

  std::string name() const override { return device_->id(); }
  absl::Status Run(foxtive::TaskContext& context) override {
    if (absl::Status status = device_->Open(); !status.ok()) return status;
    while (!context.stop_requested()) device_->Poll();  // throws when the line breaks
    return absl::OkStatus();
  }
  void OnShutdown() override { device_->Interrupt(); }  // ends a Poll that blocks
  void Cleanup() override { device_->Close(); }
  void Configure(foxtive::TaskSpec& spec) const override { spec.stop_timeout = absl::Seconds(5); }

 private:
  const std::unique_ptr<Device> device_;
};

absl::Status Upload() { return absl::OkStatus(); }

TEST(ReadmeTest, WorkersThatAreObjects) {
  std::atomic<int> closed{0};
  auto scale = std::make_unique<LineDevice>("scale", closed);
  auto scanner = std::make_unique<LineDevice>("scanner", closed);
  foxtive::Supervisor supervisor;
  absl::StatusOr<std::vector<foxtive::TaskHandle>> tasks =
      supervisor.RegisterAll(foxtive::Specs(std::make_shared<SupervisedDevice>(std::move(scale)),
                                            std::make_shared<SupervisedDevice>(std::move(scanner)),
                                            foxtive::TaskSpec{.name = "upload", .run = Upload}));
  ASSERT_TRUE(tasks.ok()) << tasks.status();
  ASSERT_TRUE(supervisor.StartAll().ok());
  ASSERT_TRUE((*tasks)[2].Wait().ok());
  for (int i : {0, 1}) {
    while ((*tasks)[i].attempts() == 0) std::this_thread::yield();
    EXPECT_TRUE((*tasks)[i].RequestStop());
    EXPECT_EQ((*tasks)[i].Wait()->final_status, foxtive::SupervisionStatus::kManuallyStopped);
  }
  EXPECT_EQ(closed, 2);
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
