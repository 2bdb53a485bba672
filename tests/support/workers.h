// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Workers that tests of stopping, abandoning and calling back need.
//
// Thread safety: all functions and classes here may be used by all threads at once.
// Blocking: whatever is called Await..., as in test_util.h.

#ifndef FOXTIVE_TESTS_SUPPORT_WORKERS_H_
#define FOXTIVE_TESTS_SUPPORT_WORKERS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "foxtive/supervisor.h"
#include "tests/support/test_util.h"

namespace foxtive::test {

// A worker that blocks, deaf to its stop, until the test lets it go. Declare it after the
// Supervisor, so that a test that fails half-way lets it go before it waits for it.
class StuckWorker {
 public:
  ~StuckWorker() { Release(); }

  // What the task is to run: returns OK when released. May be called for several tasks.
  std::function<void()> Run() const;

  void AwaitEntered() const { gate_->entered.Await("the worker to be entered"); }
  void Release() { gate_->released.Notify(); }

 private:
  struct Gate {
    Notification entered;
    Notification released;
  };

  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

// Tasks that all have to be inside at once before one of them ends.
class Meeting {
 public:
  Meeting(Supervisor& supervisor, int count) : all_inside_(std::make_shared<Latch>(count)) {
    for (int i = 0; i < count; ++i) {
      handles_.push_back(
          Submit(supervisor, Spec(absl::StrCat("task-", i), [all_inside = all_inside_] {
                   all_inside->CountDownAndAwait("all tasks to be inside");
                 })));
    }
  }

  const std::vector<TaskHandle>& handles() const { return handles_; }
  bool AllInside() const { return all_inside_->IsOpen(); }
  void AwaitOver() const {
    for (const TaskHandle& handle : handles_) AwaitResult(handle);
  }

 private:
  std::shared_ptr<Latch> all_inside_;
  std::vector<TaskHandle> handles_;
};

// Notes whether two of its users were ever inside at once.
class OverlapDetector {
 public:
  void Pass() {
    if (inside_.fetch_add(1) != 0) overlapped_ = true;
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
    inside_.fetch_sub(1);
    ++passes_;
  }
  bool overlapped() const { return overlapped_; }
  int passes() const { return passes_; }

 private:
  std::atomic<int> inside_{0};
  std::atomic<bool> overlapped_{false};
  std::atomic<int> passes_{0};
};

// Blocks until the task is in `state`.
void AwaitState(const TaskHandle& handle, TaskState state);

// Blocks until an attempt of the task runs, or is about to: its setup is over.
void AwaitRunning(const TaskHandle& handle);

// Hooks that add their name to `log`, which must outlive the task.
TaskHooks LoggingHooks(EventLog& log);

// A task that passes through every kind of user code, and calls `visit` in each with its name:
//
//   setup run on_error backoff                first attempt: an error
//   on_restart run on_exception backoff       second attempt: an exception
//   on_restart run                            third attempt: lasts until it is stopped
//   stop_callback on_shutdown cleanup         after the stop; the first two beside `run`
//   ~captured                                 the destructor of what the callables have captured
//
// and `should_restart` before each backoff. `visit` must not throw.
using Visit = std::function<void(std::string_view place)>;
TaskSpec GrandTour(std::string name, Visit visit);

// All names that GrandTour visits, in the order of the first visit, as far as there is one.
std::vector<std::string> GrandTourPlaces();

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_WORKERS_H_
