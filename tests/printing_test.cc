// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// How everything public prints: every type, every value, in one line whatever is in it; and the
// same through ToString, streams and Abseil's AbslStringify.

#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"

namespace foxtive {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::PrintToString;
using ::testing::StartsWith;

// As Abseil's own, which know strings as absl::string_view, and have more overloads.
class AbseilSink {
 public:
  void Append(size_t count, char c) { text_.append(count, c); }
  void Append(absl::string_view text) { text_.append(text.data(), text.size()); }
  std::string text_;
};

class StandardSink {
 public:
  void Append(std::string_view text) { text_ += text; }
  std::string text_;
};

template <typename Sink, typename T>
std::string Stringified(const T& value) {
  Sink sink;
  AbslStringify(sink, value);
  return sink.text_;
}

// The text of a value, which is the same however it is asked for.
template <typename T>
std::string Text(const T& value) {
  const std::string text = ToString(value);
  std::ostringstream stream;
  stream << value;
  EXPECT_EQ(stream.str(), text);
  EXPECT_EQ(Stringified<AbseilSink>(value), text);
  EXPECT_EQ(Stringified<StandardSink>(value), text);
  EXPECT_EQ(PrintToString(value), text);
  return text;
}

// Every value of an enumeration of a byte; those beyond `count` have no name.
template <typename Enum>
void ExpectNumbersFrom(int count, const std::string& type) {
  for (int i = 0; i <= std::numeric_limits<uint8_t>::max(); ++i) {
    const std::string number = type + "(" + std::to_string(i) + ")";
    if (i < count) {
      EXPECT_THAT(Text(static_cast<Enum>(i)), MatchesRegex("k[A-Z][A-Za-z]+"));
    } else {
      EXPECT_EQ(Text(static_cast<Enum>(i)), number);
    }
  }
}

TEST(PrintingTest, RestartPolicyAsItIsWritten) {
  EXPECT_EQ(Text(RestartPolicy::Never()), "Never");
  EXPECT_EQ(Text(RestartPolicy::Always()), "Always");
  EXPECT_EQ(Text(RestartPolicy::MaxAttempts(5)), "MaxAttempts(5)");
  EXPECT_EQ(Text(RestartPolicy::MaxAttempts(1)), "MaxAttempts(1)");
}

TEST(PrintingTest, RestartPolicyThatWillBeRefused) {
  EXPECT_EQ(Text(RestartPolicy::MaxAttempts(0)), "MaxAttempts(0)");
  EXPECT_EQ(Text(RestartPolicy::MaxAttempts(std::numeric_limits<int64_t>::min())),
            "MaxAttempts(-9223372036854775808)");
}

TEST(PrintingTest, OnStuck) {
  EXPECT_EQ(Text(OnStuck::kReport), "kReport");
  EXPECT_EQ(Text(OnStuck::kRestart), "kRestart");
  EXPECT_EQ(Text(OnStuck::kRestartOrGiveUp), "kRestartOrGiveUp");
  EXPECT_EQ(Text(OnStuck::kAbort), "kAbort");
  ExpectNumbersFrom<OnStuck>(4, "OnStuck");
}

TEST(PrintingTest, RestartOn) {
  EXPECT_EQ(Text(RestartOn::kFailure), "kFailure");
  EXPECT_EQ(Text(RestartOn::kAnyExit), "kAnyExit");
  ExpectNumbersFrom<RestartOn>(2, "RestartOn");
}

TEST(PrintingTest, SupervisionStatus) {
  EXPECT_EQ(Text(SupervisionStatus::kCompletedNormally), "kCompletedNormally");
  EXPECT_EQ(Text(SupervisionStatus::kMaxAttemptsReached), "kMaxAttemptsReached");
  EXPECT_EQ(Text(SupervisionStatus::kRestartPrevented), "kRestartPrevented");
  EXPECT_EQ(Text(SupervisionStatus::kSetupFailed), "kSetupFailed");
  EXPECT_EQ(Text(SupervisionStatus::kManuallyStopped), "kManuallyStopped");
  EXPECT_EQ(Text(SupervisionStatus::kAbandoned), "kAbandoned");
  EXPECT_EQ(Text(static_cast<SupervisionStatus>(17)), "SupervisionStatus(17)");
  ExpectNumbersFrom<SupervisionStatus>(6, "SupervisionStatus");
}

TEST(PrintingTest, TaskState) {
  EXPECT_EQ(Text(TaskState::kRegistered), "kRegistered");
  EXPECT_EQ(Text(TaskState::kQueued), "kQueued");
  EXPECT_EQ(Text(TaskState::kRunning), "kRunning");
  EXPECT_EQ(Text(TaskState::kBackingOff), "kBackingOff");
  EXPECT_EQ(Text(TaskState::kStopping), "kStopping");
  EXPECT_EQ(Text(TaskState::kOverdue), "kOverdue");
  EXPECT_EQ(Text(TaskState::kFinished), "kFinished");
  ExpectNumbersFrom<TaskState>(7, "TaskState");
}

TEST(PrintingTest, BackoffStrategyWithEveryArgument) {
  EXPECT_EQ(Text(BackoffStrategy::Constant(absl::Seconds(5))), "Constant(5s)");
  EXPECT_EQ(Text(BackoffStrategy::Exponential()), "Exponential(initial 2s, max 60s, multiplier 2)");
  EXPECT_EQ(Text(BackoffStrategy::Exponential(absl::Milliseconds(100), absl::Hours(1), 1.5)),
            "Exponential(initial 100ms, max 1h, multiplier 1.5)");
  EXPECT_EQ(
      Text(BackoffStrategy::Linear(absl::Seconds(1), absl::Milliseconds(500), absl::Seconds(10))),
      "Linear(initial 1s, increment 500ms, max 10s)");
  EXPECT_EQ(Text(BackoffStrategy::Fibonacci(absl::Seconds(1), absl::Seconds(90))),
            "Fibonacci(initial 1s, max 90s)");
  EXPECT_EQ(Text(BackoffStrategy::Custom([](int64_t) { return absl::Seconds(1); })), "Custom");
}

TEST(PrintingTest, BackoffStrategyWithJitter) {
  EXPECT_EQ(Text(BackoffStrategy::Exponential().WithJitter(0.2)),
            "Exponential(initial 2s, max 60s, multiplier 2, jitter 0.2)");
  EXPECT_EQ(Text(BackoffStrategy::Constant(absl::Seconds(5)).WithJitter(1)),
            "Constant(5s, jitter 1)");
  EXPECT_EQ(Text(BackoffStrategy::Linear(absl::Seconds(1), absl::Seconds(2), absl::Seconds(3))
                     .WithJitter(0.5)),
            "Linear(initial 1s, increment 2s, max 3s, jitter 0.5)");
  EXPECT_EQ(Text(BackoffStrategy::Fibonacci(absl::Seconds(1), absl::Seconds(2)).WithJitter(0.1)),
            "Fibonacci(initial 1s, max 2s, jitter 0.1)");
  EXPECT_EQ(Text(BackoffStrategy::Custom(nullptr).WithJitter(0.25)), "Custom(jitter 0.25)");
  EXPECT_EQ(Text(BackoffStrategy::Exponential().WithJitter(0.2).WithJitter(0)),
            Text(BackoffStrategy::Exponential()));
}

TEST(PrintingTest, BackoffStrategyNeverAsksTheFunctionOfCustom) {
  const auto asked = [](int64_t) -> absl::Duration { throw std::logic_error("asked"); };
  EXPECT_EQ(Text(BackoffStrategy::Custom(asked)), "Custom");
}

TEST(PrintingTest, BackoffStrategyThatWillBeRefused) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Text(BackoffStrategy::Constant(-absl::Seconds(5))), "Constant(-5s)");
  EXPECT_EQ(Text(BackoffStrategy::Constant(absl::InfiniteDuration())), "Constant(inf)");
  EXPECT_EQ(Text(BackoffStrategy::Exponential(absl::Seconds(2), -absl::InfiniteDuration(), kNaN)),
            "Exponential(initial 2s, max -inf, multiplier nan)");
  EXPECT_EQ(Text(BackoffStrategy::Constant(absl::ZeroDuration()).WithJitter(kNaN)),
            "Constant(0, jitter nan)");
  // Not rounded to something that would be taken.
  EXPECT_EQ(Text(BackoffStrategy::Exponential(absl::Seconds(1), absl::Seconds(2), 0.99999999)
                     .WithJitter(1.0000001)),
            "Exponential(initial 1s, max 2s, multiplier 0.99999999, jitter 1.0000001)");
}

// Exact, and in seconds up to two minutes.
TEST(PrintingTest, DelaysOfAStrategy) {
  const auto text = [](absl::Duration delay) { return Text(BackoffStrategy::Constant(delay)); };
  EXPECT_EQ(text(absl::Nanoseconds(1)), "Constant(1ns)");
  EXPECT_EQ(text(absl::Milliseconds(59'999)), "Constant(59.999s)");
  EXPECT_EQ(text(absl::Seconds(60)), "Constant(60s)");
  EXPECT_EQ(text(absl::Milliseconds(60'500)), "Constant(1m0.5s)");
  EXPECT_EQ(text(absl::Seconds(119)), "Constant(119s)");
  EXPECT_EQ(text(absl::Seconds(120)), "Constant(2m)");
  EXPECT_EQ(text(absl::Seconds(3'600) + absl::Nanoseconds(1)), "Constant(1h0.000000001s)");
  EXPECT_EQ(text(-absl::Seconds(90)), "Constant(-1m30s)");
}

TEST(PrintingTest, ResultNamesTaskStatusAttemptsTimeAndError) {
  SupervisionResult result{.task_name = "trades",
                           .total_attempts = 3,
                           .final_status = SupervisionStatus::kMaxAttemptsReached,
                           .last_error = absl::UnavailableError("no route"),
                           .elapsed = absl::Milliseconds(6'012)};
  EXPECT_EQ(Text(result),
            "'trades': kMaxAttemptsReached after 3 attempts in 6.012s; last error: UNAVAILABLE: no "
            "route");
  result.reason = "it was so";
  EXPECT_THAT(Text(result), HasSubstr(" in 6.012s: it was so; last error"));
  result.reason = {};
  result.total_attempts = 1;
  result.final_status = SupervisionStatus::kCompletedNormally;
  result.last_error = absl::OkStatus();
  EXPECT_EQ(Text(result), "'trades': kCompletedNormally after 1 attempt in 6.012s; last error: OK");
  EXPECT_EQ(Text(SupervisionResult()),
            "'': kCompletedNormally after 0 attempts in 0; last error: OK");
  result.final_status = static_cast<SupervisionStatus>(17);
  EXPECT_THAT(Text(result), StartsWith("'trades': SupervisionStatus(17) after 1 attempt"));
}

// Nobody reads nanoseconds behind minutes.
TEST(PrintingTest, MeasuredTimesHaveTheDigitsThatTellSomething) {
  const auto text = [](absl::Duration elapsed) {
    const std::string all = Text(SupervisionResult{.elapsed = elapsed});
    const size_t from = all.find(" in ") + 4;
    return all.substr(from, all.find(';') - from);
  };
  EXPECT_EQ(text(absl::Nanoseconds(999)), "0");
  EXPECT_EQ(text(absl::Nanoseconds(1'999)), "1us");
  EXPECT_EQ(text(absl::Nanoseconds(999'999'999)), "999.999ms");
  EXPECT_EQ(text(absl::Nanoseconds(1'000'999'999)), "1s");
  EXPECT_EQ(text(absl::Hours(30) + absl::Nanoseconds(1'234'567)), "30h0.001s");
  EXPECT_EQ(text(absl::Seconds(75)), "75s");
  EXPECT_EQ(text(absl::InfiniteDuration()), "inf");
}

TaskInfo BackingOff() {
  return {.name = "feed",
          .state = TaskState::kBackingOff,
          .attempts = 3,
          .consecutive_failures = 2,
          .hook_failures = 1,
          .last_error = absl::UnavailableError("no route"),
          .in_state_for = absl::Milliseconds(1'200),
          .next_attempt_in = absl::Milliseconds(800)};
}

TEST(PrintingTest, InfoTellsEveryField) {
  EXPECT_EQ(Text(BackingOff()),
            "'feed': kBackingOff for 1.2s, next attempt in 800ms; 3 attempts, 2 failures in a row, "
            "1 hook failure; last error: UNAVAILABLE: no route");
  EXPECT_EQ(Text(TaskInfo()),
            "'': kRegistered for 0; 0 attempts, 0 failures in a row, 0 hook failures; last error: "
            "OK");
}

TEST(PrintingTest, InfoTellsWhereItIs) {
  TaskInfo info = BackingOff();
  info.state = TaskState::kStopping;
  info.phase = TaskPhase::kCleanup;
  info.since_heartbeat = absl::Seconds(9);
  info.stuck_for = absl::Seconds(2);
  EXPECT_THAT(Text(info), StartsWith("'feed': kStopping for 1.2s in kCleanup, last heartbeat 9s "
                                     "ago, stuck for 2s; 3 attempts"));
}

TEST(PrintingTest, TaskPhase) {
  EXPECT_EQ(Text(TaskPhase::kNone), "kNone");
  EXPECT_EQ(Text(TaskPhase::kSetup), "kSetup");
  EXPECT_EQ(Text(TaskPhase::kRun), "kRun");
  EXPECT_EQ(Text(TaskPhase::kHook), "kHook");
  EXPECT_EQ(Text(TaskPhase::kStopCalls), "kStopCalls");
  EXPECT_EQ(Text(TaskPhase::kCleanup), "kCleanup");
  EXPECT_EQ(Text(TaskPhase::kDestruction), "kDestruction");
  ExpectNumbersFrom<TaskPhase>(7, "TaskPhase");
}

TEST(PrintingTest, InfoTellsOfTheNextAttemptOnlyWhereThereIsADelay) {
  TaskInfo info = BackingOff();
  info.next_attempt_in = absl::InfiniteDuration();
  EXPECT_THAT(Text(info), StartsWith("'feed': kBackingOff for 1.2s, no next attempt; 3 attempts"));
  info.next_attempt_in = absl::ZeroDuration();
  EXPECT_THAT(Text(info), StartsWith("'feed': kBackingOff for 1.2s, next attempt in 0; 3"));
  info.state = TaskState::kRunning;
  EXPECT_THAT(Text(info), StartsWith("'feed': kRunning for 1.2s; 3 attempts"));
  info.stuck_for = absl::Milliseconds(1500);
  EXPECT_THAT(Text(info), HasSubstr("kRunning for 1.2s, stuck for 1.5s; 3 attempts"));
  info.stuck_for = absl::ZeroDuration();
  info.state = static_cast<TaskState>(200);
  EXPECT_THAT(Text(info), StartsWith("'feed': TaskState(200) for 1.2s; 3 attempts"));
}

TEST(PrintingTest, EventKind) {
  EXPECT_EQ(Text(EventKind::kAttemptFailed), "kAttemptFailed");
  EXPECT_EQ(Text(EventKind::kSetupFailed), "kSetupFailed");
  EXPECT_EQ(Text(EventKind::kHookThrew), "kHookThrew");
  EXPECT_EQ(Text(EventKind::kTaskOver), "kTaskOver");
  EXPECT_EQ(Text(EventKind::kLateReturn), "kLateReturn");
  EXPECT_EQ(Text(EventKind::kCapacityLimited), "kCapacityLimited");
  EXPECT_EQ(Text(EventKind::kStarving), "kStarving");
  EXPECT_EQ(Text(EventKind::kStuck), "kStuck");
  EXPECT_EQ(Text(EventKind::kStopIgnored), "kStopIgnored");
  EXPECT_EQ(Text(EventKind::kStageOverdue), "kStageOverdue");
  ExpectNumbersFrom<EventKind>(10, "EventKind");
}

TEST(PrintingTest, EventsAsTheDefaultListenerWritesThem) {
  EXPECT_EQ(Text(Event{
                .kind = EventKind::kLateReturn, .task_name = "feed", .reason = "it was abandoned"}),
            "task 'feed' has returned after it was abandoned");
  EXPECT_EQ(Text(Event{.kind = static_cast<EventKind>(10), .task_name = "feed"}), "task 'feed' ");
}

// Every byte, also 0, as a name and as a message: one line, and only bytes that do no harm.
TEST(PrintingTest, ControlCharactersAreEscapedEverywhere) {
  for (int byte = 0; byte <= 255; ++byte) {
    const char c = static_cast<char>(byte);
    const bool control = byte < 0x20 || byte == 0x7f;
    std::ostringstream hex;
    hex << "\\x" << std::hex << std::setw(2) << std::setfill('0') << byte;
    const std::string shown = "a" + (control ? hex.str() : std::string(1, c)) + "b";
    const std::string given = {'a', c, 'b'};
    const absl::Status error = absl::InternalError(given);
    for (const std::string& text :
         {Text(SupervisionResult{.task_name = given, .last_error = error}),
          Text(TaskInfo{.name = given, .last_error = error})}) {
      EXPECT_THAT(text, StartsWith("'" + shown + "': k"));
      EXPECT_THAT(text, ::testing::EndsWith("; last error: INTERNAL: " + shown));
    }
  }
}

TEST(PrintingTest, PayloadsDoNotTearTheLine) {
  SupervisionResult result{.task_name = "feed", .last_error = absl::InternalError("down")};
  result.last_error.SetPayload("type\nurl", absl::Cord("one\r\ntwo"));
  const std::string text = Text(result);
  EXPECT_THAT(text, HasSubstr("INTERNAL: down [type\\x0aurl="));
  EXPECT_THAT(text, HasSubstr("two"));
  EXPECT_EQ(text.find_first_of("\r\n"), std::string::npos);
}

TEST(PrintingTest, LongMessagesAreWhole) {
  const std::string message(100'000, 'x');
  EXPECT_THAT(Text(TaskInfo{.last_error = absl::InternalError(message)}), HasSubstr(message));
}

TEST(PrintingTest, StreamsKeepTheirWidthAndTheirBase) {
  std::ostringstream stream;
  stream << std::hex << std::setw(12) << std::left << TaskState::kQueued
         << RestartPolicy::MaxAttempts(10) << static_cast<TaskState>(17) << 10;
  EXPECT_EQ(stream.str(), "kQueued     MaxAttempts(10)TaskState(17)a");
}

TEST(PrintingTest, WhatASupervisorTells) {
  Supervisor supervisor;
  TaskSpec spec = test::Spec("trades", [] { throw std::runtime_error("no\nprice"); });
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  EXPECT_THAT(Text(test::AwaitResult(test::Submit(supervisor, std::move(spec)))),
              MatchesRegex("'trades': kMaxAttemptsReached after 2 attempts in [0-9.hmus]+: as many "
                           "attempts .*row 7.; last "
                           "error: UNKNOWN: std::runtime_error: no\\\\x0aprice"));
  EXPECT_THAT(Text(test::Register(supervisor, test::Spec("later", [] {})).info()),
              MatchesRegex("'later': kRegistered for [0-9.hmus]+; 0 attempts, 0 failures in a row, "
                           "0 hook failures; last error: OK"));
}

}  // namespace
}  // namespace foxtive
