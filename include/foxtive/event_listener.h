// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// EventListener: is told what happens to the tasks of a Supervisor. The default one,
// StderrListener, writes a line for what is worth one.
//
// Lifetime: shared by all who use it; a Supervisor calls it until its destructor returns, which
// first delivers what has happened, within its deadline (and for 100 ms at least). An Event, with
// its views, is valid during `OnEvent`; copy what is to be kept.
// Thread safety: one Supervisor never calls `OnEvent` twice at the same time, and calls in the
// order of the events; a listener that several Supervisors share is called by each of them.
// Blocking: `OnEvent` runs on a thread of the library that nothing else waits for. It may block;
// 1,024 events wait meanwhile, what comes then is lost, counted, and the next event says how many
// were (`Event::lost`). It may call whatever does not wait for the Supervisor. Errors: what
// `OnEvent` throws is dropped.
//
// Example: into the log of the program, with what would repeat itself left out.
//
//   class Log : public foxtive::EventListener {
//    public:
//     void OnEvent(const foxtive::Event& event) override {
//       if (event.kind == foxtive::EventKind::kAttemptFailed) Warn(event.task_name, event.status);
//     }
//     foxtive::EventDetail detail() const override { return foxtive::EventDetail::kNotable; }
//   };
//   options.listener = std::make_shared<Log>();

#ifndef FOXTIVE_EVENT_LISTENER_H_
#define FOXTIVE_EVENT_LISTENER_H_

#include <cstdint>
#include <exception>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/stack_trace.h"
#include "foxtive/supervision_result.h"

namespace foxtive {

enum class EventKind : uint8_t {
  kAttemptFailed,    // `run` returned an error or threw
  kSetupFailed,      // `setup` did; `attempt` is the one that would have followed
  kHookThrew,        // `reason` is the name of the hook
  kTaskOver,         // the task has a result, kAbandoned included; `attempt` is how many it had
  kLateReturn,       // a worker has returned after it was abandoned, or its lane was replaced
  kCapacityLimited,  // tasks wait for threads; `reason` says what was found, what is wanted, and
                     // what to do; or, with a task, that the lane of that one can't be replaced
  kStarving,         // a task waits for a lane longer than `SupervisorOptions::starvation_alarm`;
                     // `reason` says how many lanes are held, by whom, for how long
  kStuck,            // an attempt hangs: `status` says what it missed, `reason` what is done
  kStopIgnored,      // one that hangs was asked to stop, and has not: it has lost its lane
  kStageOverdue,     // while the Supervisor shuts down, tasks of one `TaskSpec::stop_order` are not
                     // over in their part of the time: `reason` says which, and who is asked next
};

struct Event {
  EventKind kind = EventKind::kTaskOver;
  std::string_view task_name{};  // empty for kStageOverdue, and mostly for kCapacityLimited
  int64_t attempt = 0;
  absl::Status status{};           // of kTaskOver: the `last_error` of the result
  std::exception_ptr exception{};  // if that was thrown
  // Of a failure: until the next attempt; infinite if none follows by itself.
  absl::Duration delay{};
  std::string_view reason{};  // of a failure and of an end: what decided, as in the result
  absl::Time wall_time{};
  absl::Duration uptime{};  // since the Supervisor was created, on its clock
  SupervisionStatus final_status = SupervisionStatus::kCompletedNormally;  // of kTaskOver
  // Under kNotable, of a failure and of an end: failures of this task since its last event which
  // had none themselves. Not known of a task that is abandoned.
  int64_t folded = 0;
  int64_t lost = 0;  // events that were lost just before this one
  // Of kStuck, kStopIgnored, and a kTaskOver with kAbandoned, if there is a
  // `SupervisorOptions::stack_signal`: where the worker is when the event is delivered, or why that
  // is not known. Null for all others.
  std::shared_ptr<const StackTrace> stack{};
};

enum class EventDetail : uint8_t {
  kEverything,
  // What a log should say. Not: that a task has succeeded at its first attempt. And a crash loop is
  // folded: from the fifth failure in a row on that is the same (status and message), a task has at
  // most one event for them in 10 s, on the Supervisor's clock, which counts the others; of
  // failures that differ at most 10 have one. The last failure of a task always has.
  kNotable,
};

class EventListener {
 public:
  virtual ~EventListener() = default;

  virtual void OnEvent(const Event& event);

  // Asked once, by `Supervisor::Create`.
  virtual EventDetail detail() const;
};

// Writes a line for each notable event to the standard error: by one write(2), control characters
// escaped, names and messages cut at 300 bytes; and one for each frame of `Event::stack`. One
// object for the whole process.
std::shared_ptr<EventListener> StderrListener();

// For people: the kind as it is written, and the event as the line of the default listener without
// its first word.
std::string ToString(EventKind kind);
std::string ToString(const Event& event);

std::ostream& operator<<(std::ostream& out, EventKind kind);
std::ostream& operator<<(std::ostream& out, const Event& event);

template <typename Sink>
void AbslStringify(Sink& sink, EventKind kind) {
  sink.Append(ToString(kind));
}
template <typename Sink>
void AbslStringify(Sink& sink, const Event& event) {
  sink.Append(ToString(event));
}

}  // namespace foxtive

#endif  // FOXTIVE_EVENT_LISTENER_H_
