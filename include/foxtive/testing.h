// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Testing kit, target `//:testing`: simulated time, for tests of what a program does with the
// library. An hour of a crash loop takes milliseconds, and comes out the same each time.
//
//   foxtive::testing::SimulatedTime time;
//   auto supervisor = *foxtive::Supervisor::Create({.clock = time.clock()});
//   auto feed = *supervisor->Submit(
//       {.name = "feed", .run = foxtive::testing::FailTimes(3).ThenSucceed()});
//   time.AdvanceBy(absl::Minutes(1));
//   EXPECT_THAT(feed.TryResult(), Optional(AllOf(
//       HasFinalStatus(foxtive::SupervisionStatus::kCompletedNormally), HasAttempts(4))));
//
// The Supervisor is the real one, and its specs are those of the program; but its threads, monitor
// and lanes, take turns on the thread that made the SimulatedTime, while that one is inside of
// AdvanceBy or of any call that waits: `Wait`, `WaitAny`, `WaitAll`, `Shutdown`, the destructor of
// a Supervisor. Code takes no time; time passes while everybody waits, for `SleepFor` or for a
// delay, and then jumps to the next thing that is due.
//
// So workers have to wait by `TaskContext::SleepFor` or `Wait`, or by `Clock::Park` on
// `time.clock()`; waits for descriptors are refused. One that blocks in another way blocks the
// test; so does one that restarts without a delay for ever. `future().get()` waits for threads that
// do not run meanwhile: use `Wait`. A stop callback must not wait.
//
// Lifetime: a SimulatedTime may go before its Supervisors. A worker that never returns is leaked.
// Thread safety: one thread only; another one ends the process with a message, as does a wait that
// nothing can end, or a broken REQUIRES. Blocking: no call takes real time.

#ifndef FOXTIVE_TESTING_H_
#define FOXTIVE_TESTING_H_

#include <gmock/gmock.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/clock.h"
#include "foxtive/event_listener.h"
#include "foxtive/supervision_result.h"
#include "foxtive/task_context.h"

namespace foxtive {

namespace internal {
class Simulation;
}  // namespace internal

namespace testing {

class SimulatedTime {
 public:
  SimulatedTime();
  ~SimulatedTime();  // lets what can go on do so, for the last time
  SimulatedTime(const SimulatedTime&) = delete;
  SimulatedTime& operator=(const SimulatedTime&) = delete;

  // For `SupervisorOptions::clock`.
  std::shared_ptr<Clock> clock() const;

  // Runs everything that is due in this time, in order. With 0: what is due now.
  // REQUIRES: `duration` is finite and not negative; not called by a worker or a hook.
  void AdvanceBy(absl::Duration duration);

  absl::Duration elapsed() const;  // since this was made

 private:
  const std::shared_ptr<internal::Simulation> simulation_;
};

// A worker that does what it was told, step after step; the last step for ever. Copies share one
// script, so one that is kept tells what has happened. Thread safety: that of SimulatedTime.
//
//   auto worker = FailTimes(3).ThenThrowTimes(1, "bad frame").ThenRunUntilStopped();
//   supervisor->Submit({.name = "feed", .run = worker});
class ScriptedWorker {
 public:
  // REQUIRES of all: `times` > 0, `error` is not OK.
  ScriptedWorker& ThenSucceedTimes(int64_t times);
  ScriptedWorker& ThenFailTimes(int64_t times, absl::Status error = ScriptedError());
  // Throws a std::runtime_error.
  ScriptedWorker& ThenThrowTimes(int64_t times, std::string what = "scripted exception");

  ScriptedWorker& ThenSucceed() { return ThenSucceedTimes(1); }
  ScriptedWorker& ThenFail(absl::Status error = ScriptedError()) {
    return ThenFailTimes(1, std::move(error));
  }
  // Sleeps until it is asked to stop, and succeeds.
  ScriptedWorker& ThenRunUntilStopped();

  // From now on each attempt sleeps first; if it is asked to stop meanwhile it succeeds.
  // REQUIRES: `duration` is not negative.
  ScriptedWorker& EachTaking(absl::Duration duration);

  absl::Status operator()(TaskContext& context) const;

  int64_t calls() const;

  static absl::Status ScriptedError() { return absl::UnavailableError("scripted failure"); }

 private:
  friend ScriptedWorker Script();
  struct State;
  ScriptedWorker();
  std::shared_ptr<State> state_;
};

// The beginning of a script; without a step it succeeds.
ScriptedWorker Script();
inline ScriptedWorker FailTimes(int64_t times,
                                absl::Status error = ScriptedWorker::ScriptedError()) {
  return Script().ThenFailTimes(times, std::move(error));
}
inline ScriptedWorker ThrowTimes(int64_t times, std::string what = "scripted exception") {
  return Script().ThenThrowTimes(times, std::move(what));
}

struct RecordedEvent {
  explicit RecordedEvent(const Event& event);

  EventKind kind;
  std::string task_name;
  int64_t attempt;
  absl::Status status;
  absl::Duration delay;
  std::string reason;
  absl::Duration uptime;
  SupervisionStatus final_status;
  int64_t folded;
  int64_t lost;
  std::string text;  // as the default listener would write it
};
void PrintTo(const RecordedEvent& event, std::ostream* out);

// Keeps all events, in order.
class EventRecorder : public EventListener {
 public:
  explicit EventRecorder(EventDetail detail = EventDetail::kEverything) : detail_(detail) {}

  void OnEvent(const Event& event) override { events_.emplace_back(event); }
  EventDetail detail() const override { return detail_; }

  const std::vector<RecordedEvent>& events() const { return events_; }

 private:
  const EventDetail detail_;
  std::vector<RecordedEvent> events_;
};

// --- Matchers; each takes a value or a matcher.

// Of a status.
MATCHER_P(HasCode, code, "") {
  return ::testing::ExplainMatchResult(code, arg.code(), result_listener);
}

// Of a result or an event.
MATCHER_P(HasTaskName, name, "") {
  return ::testing::ExplainMatchResult(name, arg.task_name, result_listener);
}
MATCHER_P(HasFinalStatus, status, "") {
  return ::testing::ExplainMatchResult(status, arg.final_status, result_listener);
}
MATCHER_P(HasReason, reason, "") {
  return ::testing::ExplainMatchResult(reason, std::string(arg.reason), result_listener);
}

// Of a result.
MATCHER_P(HasAttempts, attempts, "") {
  return ::testing::ExplainMatchResult(attempts, arg.total_attempts, result_listener);
}
MATCHER_P(HasLastError, error, "") {
  return ::testing::ExplainMatchResult(error, arg.last_error, result_listener);
}
MATCHER_P(HasElapsed, elapsed, "") {
  return ::testing::ExplainMatchResult(elapsed, arg.elapsed, result_listener);
}

// Of an event.
MATCHER_P(HasKind, kind, "") {
  return ::testing::ExplainMatchResult(kind, arg.kind, result_listener);
}
MATCHER_P(HasAttempt, attempt, "") {
  return ::testing::ExplainMatchResult(attempt, arg.attempt, result_listener);
}
MATCHER_P(HasStatus, status, "") {
  return ::testing::ExplainMatchResult(status, arg.status, result_listener);
}
MATCHER_P(HasDelay, delay, "") {
  return ::testing::ExplainMatchResult(delay, arg.delay, result_listener);
}

}  // namespace testing
}  // namespace foxtive

#endif  // FOXTIVE_TESTING_H_
