// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// RestartPolicy: how often a failed task is started again. RestartOn: whether one that succeeded
// is. PermanentError: a failure after which it is not.
//
// Lifetime: a small value; copies are independent.
// Thread safety: immutable, so any number of threads may use one instance.
// Blocking: nothing blocks.
// Errors: a wrong number of attempts is stored as given and refused, with its value, by
// `Supervisor::Submit` and `Supervisor::Register`; `Validate` asks earlier. Printing may throw
// `std::bad_alloc`.
//
// Example:
//
//   spec.restart_policy = foxtive::RestartPolicy::MaxAttempts(5);

#ifndef FOXTIVE_RESTART_POLICY_H_
#define FOXTIVE_RESTART_POLICY_H_

#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/status/status.h"

namespace foxtive {

// After which ends of an attempt a task is started again at all.
enum class RestartOn : uint8_t {
  kFailure,  // a `run` that returns OK completes the task
  kAnyExit,  // it is started again after OK too, after the backoff's first delay
};

// `error`, marked as one that another attempt can't help: a task whose `run`, or `setup`, returns
// it ends with `kRestartPrevented`, whatever its policy is (verdict row 4). The mark is a payload,
// so copies keep it. OK stays OK. For errors that are permanent whenever they occur there is
// `TaskSpec::permanent_errors`. Needs memory: may throw `std::bad_alloc`.
//
//   return foxtive::PermanentError(absl::InvalidArgumentError("no such topic"));
absl::Status PermanentError(absl::Status error);

class RestartPolicy {
 public:
  // One attempt. If it fails, the task ends with `kManuallyStopped` and the cause.
  static RestartPolicy Never() { return RestartPolicy(Kind::kNever, 1); }

  // Until `attempts` attempts in a row have failed, the first one included; then the task ends with
  // `kMaxAttemptsReached`. A success, or a run that counts as healthy (see
  // `TaskSpec::stable_after`), starts the count again. `attempts` must be at least 1.
  static RestartPolicy MaxAttempts(int64_t attempts) {
    return RestartPolicy(Kind::kMaxAttempts, attempts);
  }

  // As often as it fails.
  static RestartPolicy Always() { return RestartPolicy(Kind::kAlways, 0); }

  // Whether one more attempt follows after `failures` failures in a row (at least 1).
  bool AllowsRestartAfter(int64_t failures) const {
    return kind_ == Kind::kAlways || (kind_ == Kind::kMaxAttempts && failures < max_attempts_);
  }

  bool is_never() const { return kind_ == Kind::kNever; }

  // `kInvalidArgument` naming the field and the value, or OK.
  absl::Status Validate() const;

  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;

  friend std::string ToString(const RestartPolicy& policy);

 private:
  enum class Kind : uint8_t { kNever, kMaxAttempts, kAlways };

  RestartPolicy(Kind kind, int64_t max_attempts) : max_attempts_(max_attempts), kind_(kind) {}

  int64_t max_attempts_;
  Kind kind_;
};

// For people: `Never`, `MaxAttempts(5)`, `Always`; `kFailure`, `kAnyExit`, and `RestartOn(7)` for a
// value that has no name. Streams and Abseil's formatting print the same.
std::string ToString(const RestartPolicy& policy);
std::string ToString(RestartOn restart_on);

std::ostream& operator<<(std::ostream& out, const RestartPolicy& policy);
std::ostream& operator<<(std::ostream& out, RestartOn restart_on);

template <typename Sink>
void AbslStringify(Sink& sink, const RestartPolicy& policy) {
  sink.Append(ToString(policy));
}
template <typename Sink>
void AbslStringify(Sink& sink, RestartOn restart_on) {
  sink.Append(ToString(restart_on));
}

}  // namespace foxtive

#endif  // FOXTIVE_RESTART_POLICY_H_
