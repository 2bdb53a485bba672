// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Faults that are planted to see that the simulator finds them. One at a time, for the whole
// program. They are put in front of the library, never into it: in front of its interfaces (the
// executor, the unpark of the clock), and, by the linker's --wrap, in front of functions that one
// file of the library calls in another (wrapped.bzl).

#ifndef FOXTIVE_TESTS_SIMULATOR_FAULTS_H_
#define FOXTIVE_TESTS_SIMULATOR_FAULTS_H_

#include <cstdint>
#include <memory>

#include "foxtive/task_spec.h"
#include "lib/shell/executor.h"

namespace foxtive::test {

enum class Fault : uint8_t {
  kNone,
  kUnparkLost,           // one in fifty
  kPushLost,             // a job that is to run does not
  kPostLost,             // the monitor is not told of what a lane has decided
  kOrderSwapped,         // of two jobs in the queue
  kCapacityLeaked,       // the lane of an abandoned worker is not replaced
  kPublishedTwice,       // the second half of it
  kBackoffOffByOne,      // the delay of the next failure
  kBackoffTooShort,      // by a thousandth
  kTimerEarly,           // by a millisecond
  kTimerLate,            // by a millisecond
  kTimerNotCancelled,    // on a stop
  kBackoffTooLong,       // by a thousandth and a microsecond
  kAttemptsOffByOne,     // MaxAttempts allows one more
  kHealthForgotten,      // a healthy run does not set the count to 0
  kPermanentIgnored,     // the error is permanent, and nobody cares
  kPermitIgnored,        // should_restart says no, and nobody cares
  kPermitAskedTooOften,  // should_restart is asked of what is decided
  kStopTimerIgnored,     // a worker that does not return is not abandoned
  kStopForgotten,        // in backoff it is noted, and nothing follows
  kStopTakenTwice,       // the second RequestStop is the first too
  kShutdownForgetsOne,   // a task is not asked to stop
  kStartForgetsOne,      // StartAll takes one, and does not start it
  kHookOrderSwapped,     // on_error comes after should_restart
  kNameFreedEarly,       // while the task runs
  kResultHandedOutTwice,
  kLateReturnForgotten,  // Shutdown goes on naming a worker that has returned
  kEndToldTwice,         // to the listener
  kEndNotTold,           // to the listener
  kWaitTooShort,         // on a condition, by a millisecond
  kWaitDeaf,             // nobody looks again before the timeout
  kStopLosesToGift,      // the condition is there, and that is said
  kOnStopTwice,          // its callback
  kOnStopForgotten,      // the same, one in three
  kStageLeftEarly,       // the next stop_order is asked before the last one is over
  kStageKept,            // and it is over, and nobody sees it
  kHistoryForgotten,     // all of it but the last attempt
};
inline constexpr int kFaults = static_cast<int>(Fault::kHistoryForgotten);  // without kNone

const char* NameOf(Fault fault);
void Plant(Fault fault);
bool Planted(Fault fault);

std::shared_ptr<internal::Executor> WithFaults(std::shared_ptr<internal::Executor> executor);
TaskSpec WithFaults(TaskSpec spec);

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SIMULATOR_FAULTS_H_
