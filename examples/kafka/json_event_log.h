// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// JsonEventLog: a log for machines. One line of JSON for each event of a Supervisor:
//
//   {"time":"2026-01-31T09:00:00.123Z","uptime_s":4.567,"event":"kAttemptFailed","task":"orders",
//    "attempt":3,"code":"UNKNOWN","message":"std::runtime_error: no disk","threw":true,
//    "delay_s":1.084,"reason":"..."}   (in one line)
//
// Each line is valid JSON and valid UTF-8, whatever the strings of the event hold.
//
// Thread safety: as EventListener asks for; each line is written as a whole. Errors: a line that
// cannot be written is dropped.

#ifndef FOXTIVE_EXAMPLES_KAFKA_JSON_EVENT_LOG_H_
#define FOXTIVE_EXAMPLES_KAFKA_JSON_EVENT_LOG_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "foxtive/event_listener.h"

namespace kafka_consumer {

class JsonEventLog : public foxtive::EventListener {
 public:
  // Appends to the file; an empty path is the standard error.
  static absl::StatusOr<std::shared_ptr<JsonEventLog>> Open(const std::string& path);

  ~JsonEventLog() override;
  JsonEventLog(const JsonEventLog&) = delete;
  JsonEventLog& operator=(const JsonEventLog&) = delete;

  void OnEvent(const foxtive::Event& event) override;

  // A log for machines leaves the folding to them.
  foxtive::EventDetail detail() const override { return foxtive::EventDetail::kEverything; }

 private:
  explicit JsonEventLog(int fd) : fd_(fd) {}

  const int fd_;
};

// The event as a JSON object, without a newline.
std::string ToJson(const foxtive::Event& event);

// The text as a JSON string, in quotes. Bytes that are no UTF-8 become U+FFFD.
std::string JsonString(std::string_view text);

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_JSON_EVENT_LOG_H_
