// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Plain lines on stderr, one for each failure and each verdict.
//
// A line is made on the stack and written by one write(2): it allocates nothing, is never torn, and
// control characters in what users say are escaped. A message is cut at kMaxMessageBytes.
// Thread safety: any thread; a FailureLog belongs to whoever holds its task. Blocking: as stderr.

#ifndef FOXTIVE_LIB_SHELL_LOG_LINE_H_
#define FOXTIVE_LIB_SHELL_LOG_LINE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervision_result.h"

namespace foxtive::internal {

inline constexpr size_t kMaxMessageBytes = 300;

// What is said of the failures of one task. A crash loop must not flood the log: from the fifth
// failure in a row on there is at most one line in ten seconds, which says how many it stands for.
class FailureLog {
 public:
  static constexpr int64_t kLinesBeforeFolding = 4;
  static constexpr int64_t kFoldNanos = 10'000'000'000;

  // `delay`: until the next attempt; `final`: there will be none.
  void Failed(std::string_view task, const char* what, int64_t attempt, const absl::Status& error,
              int64_t failures_in_a_row, bool final, absl::Duration delay, int64_t now_nanos);

 private:
  int64_t logged_nanos_ = 0;
  int64_t unlogged_ = 0;
};

void LogVerdict(std::string_view task, SupervisionStatus status, int64_t attempts,
                std::string_view reason);
void LogHookFailure(std::string_view task, std::string_view hook, const absl::Status& error);
void LogAbandoned(std::string_view task, absl::Duration stopping_for, bool replaced);
void LogLateReturn(std::string_view task);
void LogCapacity(std::string_view cause);

std::string_view NameOf(SupervisionStatus status);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_LOG_LINE_H_
