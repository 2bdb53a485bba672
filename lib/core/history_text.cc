// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A TaskHistory in words.

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/task_history.h"
#include "lib/core/text_parts.h"

namespace foxtive {
namespace {

using ::foxtive::internal::Counted;
using ::foxtive::internal::Escaped;
using ::foxtive::internal::MeasuredText;

std::string ClockText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E3S", time, absl::UTCTimeZone());
}

void AppendCause(const TaskHistory& history, const TaskHistory::Cause& cause, std::string& text) {
  absl::StrAppend(&text, "'", Escaped(history.task_name), "' failed ", Counted(cause.count, "time"),
                  ", first ", ClockText(cause.first), ", last ", ClockText(cause.last), ": ",
                  Escaped(cause.text), "\n");
}

void AppendAttempt(const TaskHistory::Attempt& attempt, std::string& text) {
  absl::StrAppend(&text, attempt.in_setup ? "setup for attempt " : "attempt ", attempt.number,
                  " began ", ClockText(attempt.started), " and took ",
                  MeasuredText(attempt.duration), ": ", Escaped(attempt.status.ToString()));
  if (attempt.delay < absl::InfiniteDuration()) {
    absl::StrAppend(&text, "; next in ", MeasuredText(attempt.delay));
  }
  if (!attempt.reason.empty()) absl::StrAppend(&text, ": ", Escaped(attempt.reason));
  text += "\n";
}

}  // namespace

std::string ToString(const TaskHistory& history) {
  std::string text;
  for (const TaskHistory::Cause& cause : history.causes) AppendCause(history, cause, text);
  if (history.other_failures > 0) {
    absl::StrAppend(&text, "'", Escaped(history.task_name), "' failed ",
                    Counted(history.other_failures, "time"), " of something else\n");
  }
  for (const TaskHistory::Attempt& attempt : history.attempts) AppendAttempt(attempt, text);
  if (text.empty()) {
    return absl::StrCat("'", Escaped(history.task_name), "': no attempt has ended");
  }
  text.pop_back();
  return text;
}

std::ostream& operator<<(std::ostream& out, const TaskHistory& history) {
  return out << ToString(history);
}

}  // namespace foxtive
