// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/log_line.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <utility>

namespace foxtive::internal {
namespace {

// A line under construction. What does not fit is left out; the end of the line always fits.
class Line {
 public:
  explicit Line(std::string_view task) {
    *this << "foxtive: ";
    if (!task.empty()) *this << "task '" << Escaped{task} << "' ";
  }

  struct Escaped {
    std::string_view text;
  };

  Line& operator<<(std::string_view text) {
    const size_t fits = std::min(text.size(), bytes_.size() - 1 - size_);
    std::copy_n(text.begin(), fits, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += fits;
    return *this;
  }

  Line& operator<<(Escaped escaped) {
    const std::string_view text = escaped.text.substr(0, kMaxMessageBytes);
    for (const char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        AppendHex(static_cast<unsigned char>(c));
      } else {
        *this << std::string_view(&c, 1);
      }
    }
    return text.size() < escaped.text.size() ? *this << "..." : *this;
  }

  Line& operator<<(int64_t number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    return *this << std::string_view(digits.data(), static_cast<size_t>(end - digits.begin()));
  }

  // In seconds, to the microsecond.
  Line& operator<<(absl::Duration duration) {
    if (duration == absl::InfiniteDuration()) return *this << "for ever";
    std::array<char, 64> digits;
    const double seconds = std::round(absl::ToDoubleSeconds(duration) * 1e6) / 1e6;
    // Fixed: nobody reads 6e-06 at a glance.
    const auto end =
        std::to_chars(digits.begin(), digits.end(), seconds, std::chars_format::fixed).ptr;
    return *this << std::string_view(digits.data(), static_cast<size_t>(end - digits.begin()))
                 << " s";
  }

  Line& operator<<(const absl::Status& status);

  // Writes may be cut short by a signal or a full pipe; what is written then can't be taken back.
  ~Line() {
    const int saved_errno = errno;
    bytes_[size_++] = '\n';
    size_t done = 0;
    while (done < size_) {
      const ssize_t written = write(STDERR_FILENO, bytes_.data() + done, size_ - done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) break;
      done += static_cast<size_t>(written);
    }
    errno = saved_errno;
  }

 private:
  void AppendHex(unsigned char byte) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::array<char, 4> hex = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    *this << std::string_view(hex.data(), hex.size());
  }

  std::array<char, 2048> bytes_;
  size_t size_ = 0;
};

// As absl::StatusCodeToString, which allocates.
std::string_view NameOf(absl::StatusCode code) {
  constexpr std::string_view kNames[] = {"OK",
                                         "CANCELLED",
                                         "UNKNOWN",
                                         "INVALID_ARGUMENT",
                                         "DEADLINE_EXCEEDED",
                                         "NOT_FOUND",
                                         "ALREADY_EXISTS",
                                         "PERMISSION_DENIED",
                                         "RESOURCE_EXHAUSTED",
                                         "FAILED_PRECONDITION",
                                         "ABORTED",
                                         "OUT_OF_RANGE",
                                         "UNIMPLEMENTED",
                                         "INTERNAL",
                                         "UNAVAILABLE",
                                         "DATA_LOSS",
                                         "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "?";
}

Line& Line::operator<<(const absl::Status& status) {
  const std::string_view message(status.message().data(), status.message().size());
  return *this << NameOf(status.code()) << ": " << Escaped{message};
}

}  // namespace

std::string_view NameOf(SupervisionStatus status) {
  switch (status) {
    case SupervisionStatus::kCompletedNormally:
      return "kCompletedNormally";
    case SupervisionStatus::kMaxAttemptsReached:
      return "kMaxAttemptsReached";
    case SupervisionStatus::kRestartPrevented:
      return "kRestartPrevented";
    case SupervisionStatus::kSetupFailed:
      return "kSetupFailed";
    case SupervisionStatus::kManuallyStopped:
      return "kManuallyStopped";
    case SupervisionStatus::kAbandoned:
      return "kAbandoned";
  }
  return "?";
}

void FailureLog::Failed(std::string_view task, const char* what, int64_t attempt,
                        const absl::Status& error, int64_t failures_in_a_row, bool final,
                        absl::Duration delay, int64_t now_nanos) {
  const bool folds = failures_in_a_row > kLinesBeforeFolding;
  if (folds && !final && now_nanos - logged_nanos_ < kFoldNanos) {
    ++unlogged_;
    return;
  }
  logged_nanos_ = now_nanos;
  Line line(task);
  line << what << " " << attempt << " failed: " << error;
  if (const int64_t unlogged = std::exchange(unlogged_, 0); unlogged > 0) {
    line << " (and " << unlogged << " failures before)";
  }
  if (!final) line << "; next attempt in " << delay;
}

void LogVerdict(std::string_view task, SupervisionStatus status, int64_t attempts,
                std::string_view reason) {
  Line line(task);
  line << "is over: " << NameOf(status) << " after " << attempts
       << (attempts == 1 ? " attempt; " : " attempts; ") << reason;
}

void LogHookFailure(std::string_view task, std::string_view hook, const absl::Status& error) {
  Line(task) << "hook " << hook << " threw: " << error;
}

void LogAbandoned(std::string_view task, absl::Duration stopping_for, bool replaced) {
  Line line(task);
  line << "is abandoned: not over " << stopping_for << " after its stop began";
  if (!replaced) line << "; its lane can't be replaced, too many are stuck";
}

void LogLateReturn(std::string_view task) { Line(task) << "has returned after it was abandoned"; }

void LogCapacity(std::string_view cause) { Line({}) << "tasks wait for a thread: " << cause; }

}  // namespace foxtive::internal
