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

absl::Duration DelayAfter(const AttemptLog::Entry& entry) {
  const EndedAttempt& attempt = entry.attempt;
  if (attempt.row == 0 || attempt.final) return absl::InfiniteDuration();
  if (!attempt.waits) return absl::ZeroDuration();
  if (entry.next_nanos == Clock::kNever) return absl::InfiniteDuration();
  return absl::Nanoseconds(entry.next_nanos - attempt.ended_nanos);
}

TaskHistory::Attempt Told(const AttemptLog::Entry& entry, const WallTime& wall) {
  const EndedAttempt& attempt = entry.attempt;
  TaskHistory::Attempt told{
      .number = entry.number,
      .in_setup = attempt.in_setup,
      .started = wall.Of(attempt.began_nanos),
      .duration = absl::Nanoseconds(attempt.ended_nanos - attempt.began_nanos),
      .status = UnsharedCopy(entry.status),
      .delay = DelayAfter(entry)};
  if (entry.threw) told.exception_type = TypeOf(entry.status);
  if (attempt.row != 0) told.reason = ReasonOf({.row = attempt.row, .final = attempt.final});
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
  ExtrasPointer made = MadeLog();
  if (made == nullptr) return;
  MutexLock lock(mutex_);
  Adopt(extras_, std::move(made));
}

// Null: none is wanted, or there is no memory for it.
ExtrasPointer TaskRecord::MadeLog() const {
  const int remembered = engine().attempt_history();
  if (remembered <= 1) return nullptr;
  try {
    auto made = std::make_unique<RecordExtras>();
    made->log = std::make_unique<AttemptLog>(static_cast<size_t>(remembered) - 1);
    return made;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// `number`: of the attempt that has ended after it. Before the first `run` there is only setup.
void TaskRecord::FillLastLocked(AttemptLog::Entry& entry, int64_t number) const {
  entry.attempt = {last_times_, last_marks_};
  entry.number = last_marks_.in_setup ? 1 : number - 1;
  entry.next_nanos = next_attempt_nanos_;
  entry.threw = last_exception_ != nullptr;
}

// What was the last error goes to the log, or is replaced. `same`: the new one is the same status,
// as in many a crash loop, and is neither copied nor moved.
Replaced TaskRecord::ReplaceErrorLocked(const Failure& failure, int64_t number, bool same) {
  Replaced replaced;
  AttemptLog* const log = extras_ != nullptr ? extras_->log.get() : nullptr;
  if (log != nullptr && last_times_.exists()) {
    if (last_marks_.alike) {
      log->causes().CountAgain(last_times_.ended_nanos);
    } else if (!last_error_.ok()) {
      replaced.cause = log->causes().Count(last_error_, last_times_.ended_nanos);
    }
    AttemptLog::Entry& entry = log->Next();
    FillLastLocked(entry, number);
    entry.shared = same;
    swap(entry.status, same ? replaced.status : last_error_);
  }
  if (!same) {
    swap(replaced.status, last_error_);
    last_error_ = failure.status;
  }
  if (last_exception_ != nullptr || failure.exception != nullptr) {
    replaced.exception = std::exchange(last_exception_, failure.exception);
  }
  return replaced;
}

void TaskRecord::NoteVerdictLocked(const AttemptResult& attempt, const Verdict& verdict) {
  if (concluded_ || attempt.end == AttemptEnd::kNotRun) return;
  last_marks_.row = static_cast<uint8_t>(verdict.row);
  last_marks_.final = verdict.final;
}

// --- On any thread.

TaskHistory TaskRecord::history() const {
  TaskHistory history{.task_name = name_};
  if (engine().attempt_history() == 0) return history;
  // Under the mutex to the end, since these share statuses with the record.
  MutexLock lock(mutex_);
  if (!last_times_.exists()) return history;
  std::vector<AttemptLog::Entry> entries;
  FailureCauses causes;
  if (extras_ != nullptr && extras_->log != nullptr) {
    extras_->log->CopyTo(entries);
    causes = extras_->log->causes();
  }
  const int64_t following = last_marks_.is_current ? attempts_ + 1 : attempts_;
  FillLastLocked(entries.emplace_back(), following);
  entries.back().status = last_error_;
  ShareStatuses(entries);
  absl::Status replaced;
  if (!last_error_.ok()) replaced = causes.Count(last_error_, last_times_.ended_nanos);
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
