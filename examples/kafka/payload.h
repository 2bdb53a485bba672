// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a message of the example says: "<run>:<number>". The run keeps apart what an earlier run has
// left in a topic.

#ifndef FOXTIVE_EXAMPLES_KAFKA_PAYLOAD_H_
#define FOXTIVE_EXAMPLES_KAFKA_PAYLOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kafka_consumer {

inline std::string Payload(const std::string& run, int64_t number) {
  return absl::StrCat(run, ":", number);
}

// The number, if the message is of this run.
inline std::optional<int64_t> NumberIn(const std::string& payload, const std::string& run) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(payload, absl::MaxSplits(':', 1));
  int64_t number = 0;
  if (parts.first != run || !absl::SimpleAtoi(parts.second, &number)) return std::nullopt;
  return number;
}

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_PAYLOAD_H_
