// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/json_event_log.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace kafka_consumer {
namespace {

TEST(JsonStringTest, PlainTextStaysAsItIs) {
  EXPECT_EQ(JsonString(""), R"("")");
  EXPECT_EQ(JsonString("orders 17: no disk"), R"("orders 17: no disk")");
}

TEST(JsonStringTest, WhatJsonForbidsIsEscaped) {
  EXPECT_EQ(JsonString(R"(say "a\b")"), R"("say \"a\\b\"")");
  EXPECT_EQ(JsonString("a\nb\tc"), R"("a\nb\tc")");
  EXPECT_EQ(JsonString(std::string_view("\0\x01\x1f\x7f", 4)), R"("\u0000\u0001\u001f\u007f")");
}

TEST(JsonStringTest, Utf8StaysAsItIs) {
  for (const char* text : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(JsonString(text), std::string("\"") + text + "\"");
  }
}

TEST(JsonStringTest, EachByteThatIsNoUtf8IsReplaced) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(JsonString("a\x80z"), "\"a" + bad + "z\"") << "nothing before it";
  EXPECT_EQ(JsonString("a\xC3"), "\"a" + bad + "\"") << "cut off";
  EXPECT_EQ(JsonString("a\xE2\x82"), "\"a" + bad + bad + "\"") << "cut off";
  EXPECT_EQ(JsonString("\xC3\"x"), "\"" + bad + "\\\"x\"") << "the quote is no part of it";
  EXPECT_EQ(JsonString("\xC0\xAF"), "\"" + bad + bad + "\"") << "overlong";
  EXPECT_EQ(JsonString("\xE0\x9F\xBF"), "\"" + bad + bad + bad + "\"") << "overlong";
  EXPECT_EQ(JsonString("\xED\xA0\x80"), "\"" + bad + bad + bad + "\"") << "a surrogate";
  EXPECT_EQ(JsonString("\xF4\x90\x80\x80"), "\"" + bad + bad + bad + bad + "\"") << "too high";
  EXPECT_EQ(JsonString("\xF5\x80"), "\"" + bad + bad + "\"") << "no first byte";
}

foxtive::Event Failure() {
  return {.kind = foxtive::EventKind::kAttemptFailed,
          .task_name = "orders",
          .attempt = 3,
          .status = absl::UnavailableError("said \"no\"\nand hung up"),
          .delay = absl::Milliseconds(1084),
          .reason = "row 8",
          .wall_time = absl::FromUnixMillis(1500),
          .uptime = absl::Milliseconds(4567)};
}

TEST(ToJsonTest, AFailure) {
  EXPECT_EQ(ToJson(Failure()),
            R"({"time":"1970-01-01T00:00:01.500Z","uptime_s":4.567,"event":"kAttemptFailed",)"
            R"("task":"orders","attempt":3,"code":"UNAVAILABLE",)"
            R"("message":"said \"no\"\nand hung up","delay_s":1.084,"reason":"row 8"})");
}

TEST(ToJsonTest, ThatItThrewThatNothingFollowsAndWhatIsMissing) {
  foxtive::Event event = Failure();
  event.exception = std::make_exception_ptr(std::runtime_error("x"));
  event.delay = absl::InfiniteDuration();
  event.folded = 7;
  event.lost = 2;
  EXPECT_EQ(ToJson(event),
            R"({"time":"1970-01-01T00:00:01.500Z","uptime_s":4.567,"event":"kAttemptFailed",)"
            R"("task":"orders","attempt":3,"code":"UNAVAILABLE",)"
            R"("message":"said \"no\"\nand hung up","threw":true,"delay_s":null,)"
            R"("reason":"row 8","folded":7,"lost_events":2})");
}

TEST(ToJsonTest, AnEnd) {
  const foxtive::Event event{.kind = foxtive::EventKind::kTaskOver,
                             .task_name = "orders",
                             .attempt = 1,
                             .wall_time = absl::UnixEpoch(),
                             .uptime = absl::Seconds(2),
                             .final_status = foxtive::SupervisionStatus::kManuallyStopped};
  EXPECT_EQ(ToJson(event),
            R"({"time":"1970-01-01T00:00:00.000Z","uptime_s":2.000,"event":"kTaskOver",)"
            R"("task":"orders","attempt":1,"final_status":"kManuallyStopped","code":"OK"})");
}

TEST(JsonEventLogTest, AppendsALineForEachEvent) {
  const std::string path = testing::TempDir() + "/events.json";
  std::remove(path.c_str());
  for (int i = 0; i < 2; ++i) {
    auto log = JsonEventLog::Open(path);
    ASSERT_TRUE(log.ok()) << log.status();
    (*log)->OnEvent(Failure());
  }
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string line = ToJson(Failure()) + "\n";
  EXPECT_EQ(text.str(), line + line);
}

TEST(JsonEventLogTest, AFileThatCannotBeOpenedIsAnError) {
  const auto log = JsonEventLog::Open("/nowhere/events.json");
  EXPECT_EQ(log.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace kafka_consumer
