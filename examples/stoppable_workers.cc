// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Four workers that block, each made stoppable by one line: on a socket, on a pipe, on a queue with
// a condition variable, and in a library that has a wake-up of its own. They wait for ever; then
// the program shuts down, and is over in a moment.
//
// What examples/kafka does with librdkafka is the last of them.

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"

namespace {

// All four are at work; each counts down when it is about to block.
std::latch& Blocked() {
  static std::latch& latch = *new std::latch(4);
  return latch;
}

// --- A read that blocks. What ends it is a shutdown of the socket.

absl::Status ReadFrames(foxtive::TaskContext& context, int socket) {
  const auto on_stop = context.OnStop([socket] { shutdown(socket, SHUT_RDWR); });  // the line
  Blocked().count_down();
  std::array<char, 512> frame;
  while (read(socket, frame.data(), frame.size()) > 0) {
    // ... work
  }
  // At its end: somebody has closed it, we or the other side.
  return context.stop_requested() ? absl::OkStatus() : absl::UnavailableError("closed by peer");
}

// --- A pipe, which no call can shut down: wait for it before reading.

absl::Status ReadLines(foxtive::TaskContext& context, int pipe) {
  Blocked().count_down();
  while (true) {
    absl::Status status = context.WaitReadable(pipe);  // the line
    if (absl::IsCancelled(status)) return absl::OkStatus();
    if (!status.ok()) return status;
    std::array<char, 512> bytes;
    if (read(pipe, bytes.data(), bytes.size()) <= 0) return absl::UnavailableError("no more lines");
    // ... work
  }
}

// --- A queue.

class JobQueue {
 public:
  void Push(std::string job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    not_empty_.notify_one();
  }

  absl::Status Pop(foxtive::TaskContext& context, std::string& job) {
    std::unique_lock lock(mutex_);
    // Was: not_empty_.wait(lock, [this] { return !jobs_.empty(); });
    absl::Status status = context.Wait(not_empty_, lock, [this] { return !jobs_.empty(); });
    if (!status.ok()) return status;
    job = std::move(jobs_.front());
    jobs_.pop_front();
    return absl::OkStatus();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any not_empty_;  // was: a std::condition_variable
  std::deque<std::string> jobs_;
};

absl::Status WorkOff(foxtive::TaskContext& context, JobQueue& queue) {
  Blocked().count_down();
  std::string job;
  absl::Status status;
  while ((status = queue.Pop(context, job)).ok()) {
    std::printf("job done: %s\n", job.c_str());
  }
  return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

// --- A library that blocks inside, and can be told to return: a stand-in for a database client
// with a cancel, or for rd_kafka_queue_yield.

class Client {
 public:
  void WaitForQuery() {
    std::unique_lock lock(mutex_);
    cancelled_or_done_.wait(lock, [this] { return cancelled_; });
  }
  void Cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    cancelled_or_done_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable cancelled_or_done_;
  bool cancelled_ = false;
};

void RunQueries(foxtive::TaskContext& context) {
  Client client;
  const auto on_stop = context.OnStop([&client] { client.Cancel(); });  // the line
  Blocked().count_down();
  while (!context.stop_requested()) client.WaitForQuery();
}

int Run() {
  std::array<int, 2> sockets;
  std::array<int, 2> pipes;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()) != 0 || pipe(pipes.data()) != 0) return 1;
  const auto queue = std::make_shared<JobQueue>();

  foxtive::Supervisor supervisor;
  absl::StatusOr<std::vector<foxtive::TaskHandle>> tasks = supervisor.RegisterAll(foxtive::Specs(
      foxtive::TaskSpec{
          .name = "socket",
          .run = [in = sockets[0]](auto&& context) { return ReadFrames(context, in); }},
      foxtive::TaskSpec{.name = "pipe",
                        .run = [in = pipes[0]](auto&& context) { return ReadLines(context, in); }},
      foxtive::TaskSpec{.name = "queue",
                        .run = [queue](auto&& context) { return WorkOff(context, *queue); }},
      foxtive::TaskSpec{.name = "client", .run = &RunQueries}));
  if (!tasks.ok() || !supervisor.StartAll().ok()) return 1;
  queue->Push("the only one");
  Blocked().wait();

  const absl::Status status = supervisor.Shutdown(absl::Seconds(30));
  bool good = status.ok();
  for (const foxtive::TaskHandle& task : *tasks) {
    const absl::StatusOr<foxtive::SupervisionResult> result = task.Wait();
    std::printf("%s\n", foxtive::ToString(*result).c_str());
    good = good && result->last_error.ok();
  }
  for (const int descriptor : {sockets[0], sockets[1], pipes[0], pipes[1]}) close(descriptor);
  return good ? 0 : 1;
}

}  // namespace

int main() { return Run(); }
