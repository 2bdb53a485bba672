// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A service that submits for years does not grow (S18): after a few thousand tasks of every fate,
// whose handles are dropped, many more leave memory, threads and file descriptors as they are.
// tests/deep.sh sets FOXTIVE_LONG_LIFE for a million.

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/heap.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

constexpr int64_t kTasks = kHeapIsOurs ? 50'000 : 5'000;
constexpr int64_t kWarmUp = 4'000;
constexpr int kLanes = 4;
constexpr int kServiceLanes = kLanes + 16;

// What threads keep for themselves comes and goes; a leak of 32 bytes, the least there is, in every
// tenth task is more.
constexpr int64_t kMostBytes = 128 << 10;
constexpr int64_t kMostResidentBytes = 2 << 20;

int64_t TasksWanted() {
  const char* const wanted = std::getenv("FOXTIVE_LONG_LIFE");
  int64_t tasks = kTasks;
  if (wanted != nullptr && !absl::SimpleAtoi(wanted, &tasks)) Die("FOXTIVE_LONG_LIFE: no number");
  return tasks;
}

// --- What may grow

int64_t EntriesOf(const char* directory) {
  return std::distance(std::filesystem::directory_iterator(directory),
                       std::filesystem::directory_iterator());
}

struct Figures {
  int64_t live_bytes;      // of the heap, of all threads
  int64_t resident_bytes;  // of the process
  int64_t threads;
  int64_t descriptors;
};

Figures Measure() {
  int64_t all_pages = 0;
  int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> all_pages >> resident_pages;
  return {.live_bytes = LiveBytes(),
          .resident_bytes = resident_pages * sysconf(_SC_PAGESIZE),
          .threads = EntriesOf("/proc/self/task"),
          .descriptors = EntriesOf("/proc/self/fd")};
}

std::ostream& operator<<(std::ostream& out, const Figures& figures) {
  return out << figures.live_bytes << " bytes live, " << (figures.resident_bytes >> 10)
             << " KiB resident, " << figures.threads << " threads, " << figures.descriptors
             << " descriptors";
}

// --- Tasks of every fate

std::atomic<int64_t> g_captures{0};

struct Capture {
  Capture() { ++g_captures; }
  Capture(const Capture&) = delete;
  ~Capture() { --g_captures; }
};

class CountingListener : public EventListener {
 public:
  void OnEvent(const Event& event) override { told_ += 1 + event.lost; }
  int64_t told() const { return told_; }

 private:
  std::atomic<int64_t> told_{0};
};

// Of each attempt another one. With a sanitizer one that is never deleted: a lane and a listener
// count its references, and Abseil's build hides from the thread sanitizer who was the last.
absl::Status NoConnection(int64_t attempt) {
  static const auto& kept = *new absl::Status(absl::UnavailableError("no connection at all"));
  if (!kHeapIsOurs) return kept;
  return absl::UnavailableError(absl::StrCat("attempt ", attempt, " had no connection"));
}

// Submits tasks to one Supervisor, and drops their handles.
class Service {
 public:
  explicit Service(std::shared_ptr<EventListener> listener) {
    SupervisorOptions options;
    options.max_concurrency = kLanes;
    options.listener = std::move(listener);
    supervisor_ = MakeSupervisor(std::move(options));
  }

  // One of each fate, and of some more than one.
  void Round() {
    std::vector<TaskHandle> running;
    for (int i = 0; i < kLanes; ++i) running.push_back(SubmitSleeper(i));
    for (int i = 0; i < kLanes; ++i) entered_.acquire();
    for (int i = 0; i < 4; ++i) StopQueued();
    for (int i = 0; i < 4; ++i) StopBeforeItsFirstAttempt();
    for (const TaskHandle& handle : running) Stop(handle);
    for (const bool throws : {false, true}) StopInBackoff(throws);
    for (int i = 0; i < 4; ++i) StopAtAnyMoment();
    for (int i = 0; i < 4; ++i) SubmitOne(Named([held = Hold()] {}));
    for (const bool throws : {false, true}) SubmitOne(Failing(throws, absl::ZeroDuration()));
    AwaitNone();
  }

  int64_t submitted() const { return submitted_; }

  // What is over has also been let go of.
  void Settle() { test::Settle(*supervisor_); }

 private:
  std::shared_ptr<Capture> Hold() { return std::make_shared<Capture>(); }

  TaskHandle SubmitOne(TaskSpec spec) {
    ++submitted_;
    return Submit(*supervisor_, std::move(spec));
  }

  // No two have the same name.
  TaskSpec Named(RunFunction run) {
    return Spec(absl::StrCat("a task with a name of its own ", submitted_), std::move(run));
  }

  // Fails three times, and ends.
  TaskSpec Failing(bool throws, absl::Duration delay) {
    TaskSpec spec = Named([held = Hold(), throws](TaskContext& context) {
      const absl::Status error = NoConnection(context.attempt());
      if (throws) throw std::runtime_error(std::string(error.message()));
      return error;
    });
    spec.restart_policy = RestartPolicy::MaxAttempts(3);
    spec.backoff = BackoffStrategy::Constant(delay);
    spec.hooks.on_error = [held = Hold()](const absl::Status&, int64_t) {};
    return spec;
  }

  void Stop(const TaskHandle& handle) {
    EXPECT_TRUE(handle.RequestStop());
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  }

  // Of a name that is used again and again.
  TaskHandle SubmitSleeper(int i) {
    return SubmitOne(Spec(absl::StrCat("sleeper ", i), [this, held = Hold()](TaskContext& context) {
      const std::stop_callback callback(context.stop_token(), [] {});
      entered_.release();
      context.SleepFor(absl::InfiniteDuration());
    }));
  }

  // REQUIRES: all lanes are taken.
  void StopQueued() {
    Stop(SubmitOne(Named([held = Hold()] {})));
  }

  void StopBeforeItsFirstAttempt() {
    TaskSpec spec = Named([held = Hold()] {});
    spec.initial_delay = absl::Hours(1);
    Stop(SubmitOne(std::move(spec)));
  }

  void StopInBackoff(bool throws) {
    const TaskHandle handle = SubmitOne(Failing(throws, absl::Hours(1)));
    while (handle.state() != TaskState::kBackingOff) std::this_thread::yield();
    Stop(handle);
  }

  void StopAtAnyMoment() {
    SubmitOne(Named([held = Hold()] {})).RequestStop();
  }

  void AwaitNone() {
    while (supervisor_->task_count() > 0) std::this_thread::yield();
  }

  std::counting_semaphore<> entered_{0};
  int64_t submitted_ = 0;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST(LongLifeTest, S18_AServiceThatSubmitsForYearsDoesNotGrow) {
  const auto listener = std::make_shared<CountingListener>();
  Service told(listener);
  Service silent(nullptr);
  const auto submit_until = [&](int64_t tasks) {
    while (told.submitted() + silent.submitted() < tasks) {
      told.Round();
      silent.Round();
    }
    told.Settle();
    silent.Settle();
    return Measure();
  };
  const Figures before = submit_until(kWarmUp);
  const Figures after = submit_until(kWarmUp + TasksWanted());
  std::cout << "after " << kWarmUp << " tasks: " << before << "\nafter "
            << told.submitted() + silent.submitted() << " tasks: " << after << "\n"
            << listener->told() << " events\n";

  EXPECT_EQ(g_captures, 0);
  EXPECT_GT(listener->told(), told.submitted());
  EXPECT_EQ(after.descriptors, before.descriptors);
  const int64_t cores = std::thread::hardware_concurrency();
  EXPECT_LE(after.threads, 1 + cores + 2 * (1 + kLanes + kServiceLanes)) << "with oneTBB's own";
  if (!kHeapIsOurs) return;
  EXPECT_LE(after.live_bytes - before.live_bytes, kMostBytes);
  EXPECT_LE(after.resident_bytes - before.resident_bytes, kMostResidentBytes);
}

}  // namespace
}  // namespace foxtive::test
