// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a record remembers of its attempts (lib/core/attempt_log.h), and how it tells that.
//
// The log is made by the lane, without the mutex, when a second attempt has ended; if there is no
// memory for it, what it would have had is forgotten. A task of which nothing runs any more does
// not change it, and neither does what an abandoned worker returns late.

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "lib/core/lifecycle.h"
#include "lib/shell/engine.h"
#include "lib/shell/real_time.h"
#include "lib/shell/task_record.h"

namespace foxtive::internal {
namespace {

// "<type>: <what()>", or the type alone (CaughtStatus).
std::string TypeOf(const absl::Status& thrown) {
  const std::string message(thrown.message());
  return message.substr(0, message.find(": "));
}

// From the Supervisor's clock to the wall's, as that is set now.
class WallTime {
 public:
  explicit WallTime(int64_t now_nanos) : now_(now_nanos), wall_now_(WallNanos()) {}
  absl::Time Of(int64_t nanos) const { return absl::FromUnixNanos(wall_now_ - (now_ - nanos)); }

 private:
  const int64_t now_;
  const int64_t wall_now_;
};

TaskHistory::Attempt Told(const AttemptLog::Entry& entry, const WallTime& wall) {
  const LoggedAttempt& attempt = entry.attempt;
  TaskHistory::Attempt told{
      .number = attempt.number,
      .in_setup = attempt.in_setup,
      .started = wall.Of(attempt.began_nanos),
      .duration = absl::Nanoseconds(attempt.ended_nanos - attempt.began_nanos),
      .status = UnsharedCopy(entry.status),
      .delay = absl::InfiniteDuration()};
  if (attempt.threw) told.exception_type = TypeOf(entry.status);
  if (attempt.row == 0) return told;
  told.reason = ReasonOf({.row = attempt.row, .final = attempt.final});
  if (attempt.next_nanos != Clock::kNever) {
    told.delay = absl::Nanoseconds(attempt.next_nanos - attempt.ended_nanos);
  }
  return told;
}

TaskHistory::Cause Told(const FailureCauses::Cause& cause, const WallTime& wall) {
  return {.text = absl::StrCat(absl::StatusCodeToString(cause.first.code()), ": ",
                               MaskedMessage(cause.first)),
          .count = cause.count,
          .first = wall.Of(cause.first_nanos),
          .last = wall.Of(cause.last_nanos)};
}

bool IsMoreFrequent(const TaskHistory::Cause& a, const TaskHistory::Cause& b) {
  return a.count != b.count ? a.count > b.count : a.first < b.first;
}

}  // namespace

// --- On the lane.

void TaskRecord::PrepareLog() {
  if (!std::exchange(has_history_, true)) return;
  has_log_ = true;
  MakeLog();
}

void TaskRecord::MakeLog() {
  const int remembered = engine_->attempt_history();
  if (remembered <= 1) return;
  try {
    auto made = std::make_unique<RecordExtras>();
    made->log = AttemptLog::Make(static_cast<size_t>(remembered) - 1);
    MutexLock lock(mutex_);
    Adopt(extras_, std::move(made));
  } catch (const std::bad_alloc&) {
  }
}

// `number`: of the attempt that has ended after it. Before the first `run` there is only setup.
LoggedAttempt TaskRecord::LastLoggedLocked(int64_t number) const {
  const LastAttempt& last = last_attempt_;
  const bool restarts = last.row != 0 && !last.final;
  return {.number = last.in_setup ? 1 : number - 1,
          .began_nanos = last.began_nanos,
          .ended_nanos = last.ended_nanos,
          .next_nanos = !restarts    ? Clock::kNever
                        : last.waits ? next_attempt_nanos_
                                     : last.ended_nanos,
          .row = last.row,
          .final = last.final,
          .in_setup = last.in_setup,
          .threw = last_exception_ != nullptr};
}

// What was the last error goes to the log, or is replaced. A crash loop often has the same status
// again and again: that is neither copied nor moved.
Replaced TaskRecord::ReplaceErrorLocked(const Failure& failure, int64_t number) {
  Replaced replaced;
  const bool same = ShareOneText(last_error_, failure.status);
  if (extras_ != nullptr && extras_->log != nullptr && last_attempt_.exists()) {
    AttemptLog::Replaced from_log = extras_->log->Add(LastLoggedLocked(number), last_error_, same);
    if (!same) last_error_ = failure.status;
    replaced.status = std::move(from_log.status);
    replaced.cause = std::move(from_log.cause);
  } else if (!same) {
    replaced.status = std::exchange(last_error_, failure.status);
  }
  replaced.exception = std::exchange(last_exception_, failure.exception);
  return replaced;
}

void TaskRecord::NoteVerdictLocked(const AttemptResult& attempt, const Verdict& verdict) {
  if (concluded_ || attempt.end == AttemptEnd::kNotRun) return;
  last_attempt_.row = static_cast<uint8_t>(verdict.row);
  last_attempt_.final = verdict.final;
}

// --- On any thread.

TaskHistory TaskRecord::history() const {
  TaskHistory history{.task_name = name_};
  if (engine_->attempt_history() == 0) return history;
  // Under the mutex to the end, since these share statuses with the record.
  MutexLock lock(mutex_);
  if (!last_attempt_.exists()) return history;
  std::vector<AttemptLog::Entry> entries;
  FailureCauses causes;
  if (extras_ != nullptr && extras_->log != nullptr) {
    extras_->log->CopyTo(entries);
    causes = extras_->log->causes();
  }
  const int64_t following = last_attempt_.is_current ? attempts_ + 1 : attempts_;
  entries.push_back({.attempt = LastLoggedLocked(following), .status = last_error_});
  ShareStatuses(entries);
  absl::Status replaced;
  if (!last_error_.ok()) replaced = causes.Count(last_error_, last_attempt_.ended_nanos);
  const WallTime wall(Now());
  for (const AttemptLog::Entry& entry : entries) history.attempts.push_back(Told(entry, wall));
  for (const FailureCauses::Cause& cause : causes.causes()) {
    history.causes.push_back(Told(cause, wall));
  }
  std::sort(history.causes.begin(), history.causes.end(), &IsMoreFrequent);
  history.other_failures = causes.others();
  return history;
}

}  // namespace foxtive::internal
