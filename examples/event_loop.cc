// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A host that waits in epoll for everything: the end of a task is an event like the others. The
// callback of OnFinished runs on a thread of the library; it hands the result over and wakes the
// loop.

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <mutex>
#include <utility>
#include <vector>

#include "foxtive/supervisor.h"

// Results on their way to the loop. Outlives the Supervisor that calls `Put`.
class Ended {
 public:
  Ended() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Ended() { close(fd_); }

  int fd() const { return fd_; }

  void Put(foxtive::SupervisionResult result) {
    const std::lock_guard<std::mutex> lock(mutex_);
    results_.push_back(std::move(result));
    eventfd_write(fd_, 1);
  }

  std::vector<foxtive::SupervisionResult> TakeAll() {
    const std::lock_guard<std::mutex> lock(mutex_);
    eventfd_t count;
    eventfd_read(fd_, &count);
    return std::exchange(results_, {});
  }

 private:
  const int fd_;
  std::mutex mutex_;
  std::vector<foxtive::SupervisionResult> results_;  // guarded by mutex_
};

int main() {
  Ended ended;
  foxtive::Supervisor supervisor;

  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = ended.fd()}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, ended.fd(), &wanted) != 0) return 1;

  size_t running = 0;
  for (const char* name : {"prices", "trades", "news"}) {
    const auto task = supervisor.Submit(
        {.name = name,
         .run =
             [](foxtive::TaskContext& context) {
               return context.attempt() < 3 ? absl::UnavailableError("no route") : absl::OkStatus();
             },
         .backoff = foxtive::BackoffStrategy::Constant(absl::Milliseconds(20))});
    if (!task.ok()) return 1;
    const absl::Status status =
        task->OnFinished([&ended](const foxtive::SupervisionResult& result) { ended.Put(result); });
    if (!status.ok()) return 1;
    ++running;
  }

  while (running > 0) {
    epoll_event event;
    if (epoll_wait(epoll, &event, 1, -1) < 1 || event.data.fd != ended.fd()) continue;
    for (const foxtive::SupervisionResult& result : ended.TakeAll()) {
      std::cout << result << std::endl;
      --running;
    }
  }
  close(epoll);
}
