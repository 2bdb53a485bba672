// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/json_event_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace kafka_consumer {
namespace {

constexpr mode_t kNewFileMode = 0644;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// What may follow a first byte of UTF-8.
struct Utf8Form {
  size_t length = 0;  // of the whole character; 0: the byte begins none
  // The range of the second byte, which keeps out overlong forms, surrogates and what is above
  // U+10FFFF. All others are 0x80 to 0xBF.
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
};

Utf8Form FormOf(uint8_t first) {
  if (first < 0x80) return {.length = 1};
  if (first < 0xC2) return {};
  if (first < 0xE0) return {.length = 2};
  if (first < 0xF0) {
    return {.length = 3,
            .second_min = static_cast<uint8_t>(first == 0xE0 ? 0xA0 : 0x80),
            .second_max = static_cast<uint8_t>(first == 0xED ? 0x9F : 0xBF)};
  }
  if (first < 0xF5) {
    return {.length = 4,
            .second_min = static_cast<uint8_t>(first == 0xF0 ? 0x90 : 0x80),
            .second_max = static_cast<uint8_t>(first == 0xF4 ? 0x8F : 0xBF)};
  }
  return {};
}

// How many bytes at the start of `text`, which is not empty, are one character; 0: none is.
size_t Utf8Length(std::string_view text) {
  const Utf8Form form = FormOf(static_cast<uint8_t>(text[0]));
  if (text.size() < form.length) return 0;
  for (size_t i = 1; i < form.length; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const uint8_t min = i == 1 ? form.second_min : 0x80;
    const uint8_t max = i == 1 ? form.second_max : 0xBF;
    if (byte < min || byte > max) return 0;
  }
  return form.length;
}

void AppendCharacter(std::string& json, std::string_view character) {
  const char c = character[0];
  if (c == '"' || c == '\\') {
    json += '\\';
    json += c;
  } else if (c == '\n') {
    json += "\\n";
  } else if (c == '\t') {
    json += "\\t";
  } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) {
    json += absl::StrFormat("\\u%04x", static_cast<uint8_t>(c));
  } else {
    json += character;
  }
}

std::string Seconds(absl::Duration duration) {
  // JSON has no infinity.
  if (duration == absl::InfiniteDuration()) return "null";
  return absl::StrFormat("%.3f", absl::ToDoubleSeconds(duration));
}

void AppendField(std::string& json, std::string_view name, std::string_view value) {
  if (json.size() > 1) json += ',';
  json += JsonString(name);
  json += ':';
  json += value;
}

bool IsFailure(const foxtive::Event& event) {
  return event.kind == foxtive::EventKind::kAttemptFailed ||
         event.kind == foxtive::EventKind::kSetupFailed;
}

std::string Code(const absl::Status& status) { return absl::StatusCodeToString(status.code()); }

std::string Message(const absl::Status& status) {
  return JsonString({status.message().data(), status.message().size()});
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) {
      json += kReplacement;
    } else {
      AppendCharacter(json, text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  json += '"';
  return json;
}

std::string ToJson(const foxtive::Event& event) {
  std::string json = "{";
  AppendField(
      json, "time",
      JsonString(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", event.wall_time, absl::UTCTimeZone())));
  AppendField(json, "uptime_s", Seconds(event.uptime));
  AppendField(json, "event", JsonString(foxtive::ToString(event.kind)));
  if (!event.task_name.empty()) AppendField(json, "task", JsonString(event.task_name));
  AppendField(json, "attempt", absl::StrCat(event.attempt));
  if (event.kind == foxtive::EventKind::kTaskOver) {
    AppendField(json, "final_status", JsonString(foxtive::ToString(event.final_status)));
  }
  AppendField(json, "code", JsonString(Code(event.status)));
  if (!event.status.ok()) AppendField(json, "message", Message(event.status));
  if (event.exception != nullptr) AppendField(json, "threw", "true");
  if (IsFailure(event)) AppendField(json, "delay_s", Seconds(event.delay));
  if (!event.reason.empty()) AppendField(json, "reason", JsonString(event.reason));
  if (event.folded > 0) AppendField(json, "folded", absl::StrCat(event.folded));
  if (event.lost > 0) AppendField(json, "lost_events", absl::StrCat(event.lost));
  json += '}';
  return json;
}

absl::StatusOr<std::shared_ptr<JsonEventLog>> JsonEventLog::Open(const std::string& path) {
  const int fd =
      path.empty() ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
                   : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kNewFileMode);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("event log '", path, "'"));
  return std::shared_ptr<JsonEventLog>(new JsonEventLog(fd));
}

JsonEventLog::~JsonEventLog() { ::close(fd_); }

void JsonEventLog::OnEvent(const foxtive::Event& event) {
  const std::string line = ToJson(event) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = TEMP_FAILURE_RETRY(::write(fd_, rest.data(), rest.size()));
    if (written < 0) return;
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace kafka_consumer
