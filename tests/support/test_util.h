// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What most tests need: things to wait for, records of what happened, and a Supervisor to try.
//
// Thread safety: all classes here may be used by all threads at once.
// Blocking: whatever waits is called Await..., and ends the program with a message after
// `kSafetyLimit` of real time, so that a broken library fails a test instead of hanging it. The
// limit decides nothing else: no test passes because time has passed.

#ifndef FOXTIVE_TESTS_SUPPORT_TEST_UTIL_H_
#define FOXTIVE_TESTS_SUPPORT_TEST_UTIL_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"

namespace foxtive::test {

inline constexpr std::chrono::seconds kSafetyLimit(120);

// Ends the program with a message that names the current test.
[[noreturn]] void Die(std::string_view message);
[[noreturn]] void DieWaitingFor(std::string_view what);

// A list that threads append to and others wait for.
template <typename T>
class Recorder {
 public:
  void Add(T entry) {
    std::lock_guard<std::mutex> guard(mutex_);
    entries_.push_back(std::move(entry));
    added_.notify_all();
  }

  std::vector<T> Entries() const {
    std::lock_guard<std::mutex> guard(mutex_);
    return entries_;
  }

  size_t size() const {
    std::lock_guard<std::mutex> guard(mutex_);
    return entries_.size();
  }

  // Blocks until there are at least `size` entries, and returns all.
  std::vector<T> AwaitSize(size_t size) const {
    Await(absl::StrCat(size, " entries"), [&] { return entries_.size() >= size; });
    return Entries();
  }

  // Blocks until an entry satisfies `wanted`, and returns the first that does.
  T AwaitEntry(std::string_view what, const std::function<bool(const T&)>& wanted) const {
    std::optional<T> found;
    Await(what, [&] {
      for (const T& entry : entries_) {
        if (!found && wanted(entry)) found = entry;
      }
      return found.has_value();
    });
    return *std::move(found);
  }

 private:
  void Await(std::string_view what, const std::function<bool()>& reached_locked) const {
    std::unique_lock<std::mutex> guard(mutex_);
    if (added_.wait_for(guard, kSafetyLimit, reached_locked)) return;
    DieWaitingFor(absl::StrCat(std::string(what), "; there are ", entries_.size(), " entries"));
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable added_;
  std::vector<T> entries_;  // guarded by mutex_
};

// Who did what, in order.
using EventLog = Recorder<std::string>;

// Opens when it has been counted down to 0.
class Latch {
 public:
  explicit Latch(int64_t count) : count_(count) {}

  void CountDown();
  bool IsOpen() const;
  void Await(std::string_view what) const;
  void CountDownAndAwait(std::string_view what);

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable opened_;
  int64_t count_;  // guarded by mutex_; below 0 is as good as 0
};

// Happens once.
class Notification {
 public:
  void Notify() { latch_.CountDown(); }
  bool HasHappened() const { return latch_.IsOpen(); }
  void Await(std::string_view what) const { latch_.Await(what); }

 private:
  Latch latch_{1};
};

// Something to capture, that tells when it has been destroyed.
class Witness {
 public:
  // The one owner. May be called once.
  std::shared_ptr<void> Take() { return std::move(object_); }
  bool IsDestroyed() const { return watch_.expired(); }

 private:
  std::shared_ptr<void> object_ = std::make_shared<int>(0);
  std::weak_ptr<void> watch_ = object_;
};

// Default options with this clock.
SupervisorOptions OptionsWith(std::shared_ptr<Clock> clock);

// `Supervisor::Create`, which has to succeed.
std::unique_ptr<Supervisor> MakeSupervisor(SupervisorOptions options = {});

// A task that restarts at once, with all other fields at their defaults.
TaskSpec Spec(std::string name, RunFunction run);

// `Submit` and `Register`, which have to succeed.
TaskHandle Submit(Supervisor& supervisor, TaskSpec spec);
TaskHandle Register(Supervisor& supervisor, TaskSpec spec);

// The value of a future.
template <typename Future>
auto Await(Future&& future, std::string_view what) {
  if (future.wait_for(kSafetyLimit) != std::future_status::ready) DieWaitingFor(what);
  return future.get();
}

// The result of a task; not by `TaskHandle::Wait`, which follows the clock of the Supervisor.
//
// Its status shares nothing with the one that the library keeps: Abseil counts the references to
// what a status says, and a distribution's build of it hides from the thread sanitizer that a lane
// which deletes the last of them comes after a test that has read it. The handle, which outlives
// this call, orders the two.
SupervisionResult AwaitResult(const TaskHandle& handle);

// Blocks until the task waits for the attempt after `attempts`, and returns how long it will.
absl::Duration AwaitBackoff(const TaskHandle& handle, int64_t attempts);

// Stops two tasks of no consequence, one after the other. When the second is over, the monitor has
// acted on all that was asked of it and on all deadlines that were reached before this call.
//
// REQUIRES: a free lane.
void Settle(Supervisor& supervisor);

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_TEST_UTIL_H_
