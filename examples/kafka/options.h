// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The flags of kafka_consumer, checked.

#ifndef FOXTIVE_EXAMPLES_KAFKA_OPTIONS_H_
#define FOXTIVE_EXAMPLES_KAFKA_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/kafka/topic_consumer.h"
#include "foxtive/backoff_strategy.h"

namespace kafka_consumer {

struct Options {
  std::string brokers{};  // empty: of its own
  std::vector<std::string> topics{};
  int64_t messages = 0;    // to each topic
  absl::Duration pause{};  // between two messages of a topic
  int64_t crashes = 0;     // messages of each topic that make the processing throw
  int64_t batch = 0;       // messages per commit, at most
  uint64_t seed = 0;
  foxtive::BackoffStrategy backoff = foxtive::BackoffStrategy::Exponential();
  absl::Duration patience{};
  std::string event_log{};  // empty: standard error
  Sabotage sabotage = Sabotage::kNone;
};

// What the command line says; `kInvalidArgument` names the flag. Ends the process for --help and
// for flags that there are not.
absl::StatusOr<Options> ParseOptions(int argc, char** argv);

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_OPTIONS_H_
