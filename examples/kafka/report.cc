// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/report.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace kafka_consumer {
namespace {

constexpr int kExitStoppedEarly = 3;

// So many messages are named before it is enough.
constexpr size_t kMaxNamed = 10;

// The topics taken together.
TopicVerdict Total(const Run& run) {
  TopicVerdict total;
  for (const auto& [topic, verdict] : run.topics) {
    total.messages += verdict.messages;
    total.delivered += verdict.delivered;
    total.processed += verdict.processed;
    total.explained += verdict.explained;
    total.left_uncommitted += verdict.left_uncommitted;
    total.unexplained.insert(total.unexplained.end(), verdict.unexplained.begin(),
                             verdict.unexplained.end());
    total.lost.insert(total.lost.end(), verdict.lost.begin(), verdict.lost.end());
  }
  return total;
}

std::string TopicRow(const std::string& name, const TopicVerdict& topic) {
  return absl::StrFormat("%-16s %9d %10d %10d %10d %12d %17d %5d\n", name, topic.messages,
                         topic.processed, topic.explained + topic.unexplained.size(),
                         topic.explained, topic.unexplained.size(), topic.left_uncommitted,
                         topic.lost.size());
}

void Complain(const std::string& topic, const std::vector<NumberedPosition>& messages,
              const std::string& what, std::string& text) {
  for (size_t i = 0; i < std::min(messages.size(), kMaxNamed); ++i) {
    const auto& [number, position] = messages[i];
    absl::StrAppend(&text, topic, " ", number, ", partition ", position.partition, ", offset ",
                    position.offset, ": ", what, "\n");
  }
  if (messages.size() > kMaxNamed) {
    absl::StrAppend(&text, topic, ": and ", messages.size() - kMaxNamed, " more: ", what, "\n");
  }
}

int64_t Restarts(const Run& run) {
  int64_t restarts = 0;
  for (const TaskRow& task : run.tasks) {
    restarts += std::max<int64_t>(task.result.total_attempts - 1, 0);
  }
  return restarts;
}

std::string Figures(const Run& run, const TopicVerdict& total) {
  std::string figures = absl::StrFormat(
      "%d of %d messages processed, %d lost; %d duplicates, %d unexplained; %d restarts, ",
      total.processed, total.messages, total.lost.size(),
      total.explained + total.unexplained.size(), total.unexplained.size(), Restarts(run));
  if (run.faults_planned > 0) {
    absl::StrAppendFormat(&figures, "%d of %d broker faults, ", run.faults_done,
                          run.faults_planned);
  }
  absl::StrAppendFormat(&figures, "%.1f s", absl::ToDoubleSeconds(run.elapsed));
  return figures;
}

}  // namespace

std::string TaskTable(const Run& run) {
  std::string table =
      absl::StrFormat("%-16s %-20s %8s %8s %13s %6s %10s %9s\n", "task", "ended as", "attempts",
                      "restarts", "failed setups", "errors", "exceptions", "seconds");
  for (const auto& [result, failed_setups, errors, exceptions] : run.tasks) {
    absl::StrAppendFormat(&table, "%-16s %-20s %8d %8d %13d %6d %10d %9.1f\n", result.task_name,
                          foxtive::ToString(result.final_status), result.total_attempts,
                          std::max<int64_t>(result.total_attempts - 1, 0), failed_setups, errors,
                          exceptions, absl::ToDoubleSeconds(result.elapsed));
  }
  return table;
}

std::string TopicTable(const Run& run) {
  std::string table =
      absl::StrFormat("%-16s %9s %10s %10s %10s %12s %17s %5s\n", "topic", "messages", "processed",
                      "duplicates", "explained", "unexplained", "left uncommitted", "lost");
  for (const auto& [topic, verdict] : run.topics) table += TopicRow(topic, verdict);
  return table + TopicRow("together", Total(run));
}

std::string Complaints(const Run& run) {
  std::string text;
  for (const auto& [topic, verdict] : run.topics) {
    Complain(topic, verdict.lost, "committed, and never processed", text);
    Complain(topic, verdict.unexplained, "processed once more, which nothing explains", text);
  }
  if (!run.shutdown.ok()) absl::StrAppend(&text, run.shutdown.ToString(), "\n");
  if (run.why == Why::kTimeIsUp) absl::StrAppend(&text, "the time was up\n");
  return text;
}

Verdict Judge(const Run& run) {
  const TopicVerdict total = Total(run);
  const std::string figures = Figures(run, total);
  if (!total.holds() || !run.shutdown.ok()) return {EXIT_FAILURE, "FAILED: " + figures};
  if (total.all_processed()) return {EXIT_SUCCESS, "PASSED: " + figures};
  if (run.why == Why::kSignal) return {kExitStoppedEarly, "STOPPED EARLY: " + figures};
  return {EXIT_FAILURE, "FAILED: " + figures};
}

}  // namespace kafka_consumer
