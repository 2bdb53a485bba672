// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// How the run went: the tables and the verdict.
//
// Thread safety: none is needed.

#ifndef FOXTIVE_EXAMPLES_KAFKA_REPORT_H_
#define FOXTIVE_EXAMPLES_KAFKA_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/kafka/end_of_run.h"
#include "examples/kafka/topic_ledger.h"
#include "foxtive/supervision_result.h"

namespace kafka_consumer {

// One task, with what its own hooks have counted.
struct TaskRow {
  foxtive::SupervisionResult result{};
  int64_t failed_setups = 0;
  int64_t errors = 0;
  int64_t exceptions = 0;
};

struct Run {
  Why why = Why::kTimeIsUp;
  absl::Status shutdown{};
  absl::Duration elapsed{};
  size_t faults_done = 0;
  size_t faults_planned = 0;
  std::vector<TaskRow> tasks{};
  std::map<std::string, TopicVerdict> topics{};
};

std::string TaskTable(const Run& run);
std::string TopicTable(const Run& run);

// Message by message, what is not as promised; empty if all is.
std::string Complaints(const Run& run);

// `exit_status`: 0 if each message was processed at least once and each duplicate is explained, 3
// if that holds for what a signal has let be done, else 1. `line`: the same in words.
struct Verdict {
  int exit_status = 1;
  std::string line{};
};
Verdict Judge(const Run& run);

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_REPORT_H_
