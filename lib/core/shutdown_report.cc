// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "foxtive/shutdown_report.h"

#include <algorithm>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace foxtive {
namespace {

std::string MeasuredText(absl::Duration duration) {
  const bool is_long = duration >= absl::Seconds(1);
  return absl::FormatDuration(
      absl::Trunc(duration, is_long ? absl::Milliseconds(1) : absl::Microseconds(1)));
}

void AppendTask(const ShutdownReport::Task& task, std::string& text) {
  const std::string since = MeasuredText(task.since_stop);
  if (task.stuck()) {
    absl::StrAppend(&text, "\nstuck, asked to stop ", since, " ago: ", ToString(task.info));
  } else {
    absl::StrAppend(&text, "\nover after ", since, ": ", ToString(task.final_status), ", ",
                    ToString(task.info));
  }
  if (!task.stuck() || task.info.stack == nullptr) return;
  const std::string stack = ToString(*task.info.stack);
  absl::StrAppend(&text, "\n  ", absl::StrReplaceAll(stack, {{"\n", "\n  "}}));
}

}  // namespace

std::string ToString(const ShutdownReport& report) {
  const auto stuck = std::count_if(report.tasks.begin(), report.tasks.end(),
                                   [](const ShutdownReport::Task& task) { return task.stuck(); });
  std::string text = absl::StrCat(
      "shutdown took ", MeasuredText(report.took), " of ", MeasuredText(report.timeout), ": ",
      stuck, " of ", report.tasks.size(), report.tasks.size() == 1 ? " task" : " tasks",
      stuck == 1 ? " is stuck" : " are stuck");
  if (report.not_listed > 0) {
    absl::StrAppend(&text, " (and ", report.not_listed, " for which there was no memory)");
  }
  for (const ShutdownReport::Task& task : report.tasks) AppendTask(task, text);
  return text;
}

std::ostream& operator<<(std::ostream& out, const ShutdownReport& report) {
  return out << ToString(report);
}

}  // namespace foxtive
