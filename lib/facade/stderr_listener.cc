// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// StderrListener: one line for each event, made on the stack and written by one write(2): it
// allocates nothing and is never torn (a line is no longer than what a pipe takes as a whole).

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/event_listener.h"
#include "lib/core/text.h"

namespace foxtive {
namespace {

constexpr size_t kMaxMessageBytes = 300;

bool ContinuesCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// At most kMaxMessageBytes, without half a character of UTF-8 at the end.
std::string_view Cut(std::string_view text) {
  if (text.size() <= kMaxMessageBytes) return text;
  size_t length = kMaxMessageBytes;
  while (length > kMaxMessageBytes - 4 && ContinuesCharacter(text[length])) --length;
  return text.substr(0, length);
}

// A line under construction. What does not fit is left out; the end of the line always fits.
class Line {
 public:
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
    const std::string_view text = Cut(escaped.text);
    internal::EscapeControls(text, [this](std::string_view piece) { *this << piece; });
    return text.size() < escaped.text.size() ? *this << "..." : *this;
  }

  Line& operator<<(int64_t number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    return *this << std::string_view(digits.data(), static_cast<size_t>(end - digits.begin()));
  }

  // In seconds, to the microsecond. A delay that is infinite is not told.
  Line& operator<<(absl::Duration duration) {
    std::array<char, 64> digits;
    const double seconds = std::round(absl::ToDoubleSeconds(duration) * 1e6) / 1e6;
    // Fixed: nobody reads 6e-06 at a glance.
    const auto end =
        std::to_chars(digits.begin(), digits.end(), seconds, std::chars_format::fixed).ptr;
    return *this << std::string_view(digits.data(), static_cast<size_t>(end - digits.begin()))
                 << " s";
  }

  Line& operator<<(const absl::Status& status);

  std::string_view text() const { return {bytes_.data(), size_}; }

  // Writes may be cut short by a signal or a full pipe; what is written then can't be taken back.
  void Write() {
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
  std::array<char, PIPE_BUF> bytes_;
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

void TellFolded(Line& line, const Event& event) {
  if (event.folded == 0) return;
  line << " (and " << event.folded << (event.folded == 1 ? " failure" : " failures") << " before)";
}

void TellFailure(Line& line, const Event& event, std::string_view what) {
  line << what << " " << event.attempt << " failed: " << event.status;
  TellFolded(line, event);
  if (event.delay < absl::InfiniteDuration()) line << "; next attempt in " << event.delay;
}

void TellEnd(Line& line, const Event& event) {
  line << "is over: " << internal::NameOf(event.final_status) << " after " << event.attempt
       << (event.attempt == 1 ? " attempt; " : " attempts; ") << event.reason;
  TellFolded(line, event);
}

void TellWhat(Line& line, const Event& event) {
  switch (event.kind) {
    case EventKind::kAttemptFailed:
      return TellFailure(line, event, "attempt");
    case EventKind::kSetupFailed:
      return TellFailure(line, event, "setup for attempt");
    case EventKind::kHookThrew:
      line << "hook " << event.reason << " threw: " << event.status;
      return;
    case EventKind::kTaskOver:
      return TellEnd(line, event);
    case EventKind::kLateReturn:
      line << "has returned after " << event.reason;
      return;
    case EventKind::kStarving:
      line << "waits for a lane: " << event.reason;
      return;
    case EventKind::kStuck:
      line << "is stuck in attempt " << event.attempt << ": " << event.status << "; "
           << event.reason;
      return;
    case EventKind::kStopIgnored:
      line << "does not stop in attempt " << event.attempt << ": " << event.reason;
      return;
    case EventKind::kCapacityLimited:
      line << (event.task_name.empty() ? "tasks wait for a thread: " : "") << event.reason;
      return;
    case EventKind::kStageOverdue:
      line << "shutdown: " << event.reason;
      return;
  }
}

void Tell(Line& line, const Event& event) {
  if (!event.task_name.empty()) line << "task '" << Line::Escaped{event.task_name} << "' ";
  TellWhat(line, event);
  if (event.lost > 0) line << " (" << event.lost << " events before this one were lost)";
}

void TellFrame(Line& line, size_t number, const StackFrame& frame) {
  line << "#" << static_cast<int64_t>(number) << " "
       << Line::Escaped{frame.function.empty() ? std::string_view("?") : frame.function};
  if (!frame.module_file.empty()) line << " in " << Line::Escaped{frame.module_file};
}

void WriteStack(const StackTrace& stack) {
  if (!stack.missing.empty()) {
    Line line;
    line << "foxtive:   where it is: " << Line::Escaped{stack.missing};
    line.Write();
  }
  for (size_t i = 0; i < stack.frames.size(); ++i) {
    Line line;
    line << "foxtive:   ";
    TellFrame(line, i, stack.frames[i]);
    line.Write();
  }
}

class StderrListenerImpl final : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    Line line;
    line << "foxtive: ";
    Tell(line, event);
    line.Write();
    if (event.stack != nullptr) WriteStack(*event.stack);
  }
  EventDetail detail() const override { return EventDetail::kNotable; }
};

}  // namespace

std::string ToString(const Event& event) {
  Line line;
  Tell(line, event);
  return std::string(line.text());
}

std::ostream& operator<<(std::ostream& out, const Event& event) { return out << ToString(event); }

// Leaked, and shared without a count, so that it costs nothing and can't fail.
std::shared_ptr<EventListener> StderrListener() {
  alignas(StderrListenerImpl) static std::array<std::byte, sizeof(StderrListenerImpl)> memory;
  static EventListener* const listener = new (memory.data()) StderrListenerImpl;
  return {std::shared_ptr<void>(), listener};
}

}  // namespace foxtive
