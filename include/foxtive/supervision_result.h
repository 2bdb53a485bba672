// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// SupervisionResult: how a task ended. Every task that was started gets exactly one.
//
// Lifetime: a value; copies share the exception object, which is destroyed with the last of them.
// Thread safety: as `std::string`.
// Blocking: nothing blocks. Errors: what a worker threw is stored, never rethrown; copying and
// printing may throw `std::bad_alloc`.

#ifndef FOXTIVE_SUPERVISION_RESULT_H_
#define FOXTIVE_SUPERVISION_RESULT_H_

#include <cstdint>
#include <exception>
#include <iosfwd>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace foxtive {

enum class SupervisionStatus : uint8_t {
  kCompletedNormally,   // `run` returned OK, or void
  kMaxAttemptsReached,  // as many attempts in a row have failed as `RestartPolicy::MaxAttempts`
                        // says
  kRestartPrevented,    // the error was permanent, or `should_restart` said no
  kSetupFailed,         // `setup` failed or threw; `run` was never called
  kManuallyStopped,     // stopped, by `RequestStop` or with the Supervisor; or failed under `Never`
  kAbandoned,           // asked to stop and still not over when its time was up
};

struct SupervisionResult {
  std::string task_name{};
  int64_t total_attempts = 0;  // calls of `run`
  SupervisionStatus final_status = SupervisionStatus::kCompletedNormally;
  absl::Status last_error{};            // the cause; OK if the last attempt did not fail
  std::exception_ptr last_exception{};  // set if the last failure was an exception
  absl::Duration elapsed{};             // from start to end, on the Supervisor's clock
  std::string_view reason{};            // what decided, in words; valid for ever
};

// For people. The status as it is written, `kAbandoned`, and `SupervisionStatus(17)` for a value
// that has no name. A result in one line, whatever its strings hold: control characters in them are
// escaped, `\x0a`. Streams and Abseil's formatting print the same.
//
//   'feed': kRestartPrevented after 3 attempts in 6.012s: the error is permanent (verdict row 4);
//   last error: UNAVAILABLE: no route   (in one line)
std::string ToString(SupervisionStatus status);
std::string ToString(const SupervisionResult& result);

std::ostream& operator<<(std::ostream& out, SupervisionStatus status);
std::ostream& operator<<(std::ostream& out, const SupervisionResult& result);

template <typename Sink>
void AbslStringify(Sink& sink, SupervisionStatus status) {
  sink.Append(ToString(status));
}
template <typename Sink>
void AbslStringify(Sink& sink, const SupervisionResult& result) {
  sink.Append(ToString(result));
}

}  // namespace foxtive

#endif  // FOXTIVE_SUPERVISION_RESULT_H_
