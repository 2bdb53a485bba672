// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/options.h"

#include <set>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

ABSL_FLAG(std::string, brokers, "", "addresses of real brokers; empty: brokers of its own");
ABSL_FLAG(std::vector<std::string>, topics,
          (std::vector<std::string>{"orders", "payments", "shipments", "returns"}),
          "the topics, each with a consumer");
ABSL_FLAG(int64_t, messages, 300, "how many are sent to each topic");
ABSL_FLAG(std::string, pause, "30ms", "between two messages of a topic");
ABSL_FLAG(int64_t, crashes, 6, "how many messages of each topic make the processing throw");
ABSL_FLAG(int64_t, batch, 8, "how many messages are committed at once, at most");
ABSL_FLAG(uint64_t, seed, 1, "of the crashes and of the jitter");
ABSL_FLAG(
    std::vector<std::string>, backoff, (std::vector<std::string>{"1s", "30s"}),
    "the first delay before a restart, which doubles with each failure in a row, and the last");
ABSL_FLAG(std::string, patience, "5m", "after this time the end is not waited for any longer");
ABSL_FLAG(std::string, event_log, "", "file for the lines of JSON; empty: standard error");
ABSL_FLAG(std::string, sabotage, "",
          "break the promise, to see that it is noticed: 'lose' or 'double' a message");

namespace kafka_consumer {
namespace {

constexpr double kJitter = 0.2;

absl::Status Wrong(absl::string_view flag, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", what));
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view flag, const std::string& text) {
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) && duration >= absl::ZeroDuration()) return duration;
  return Wrong(flag, absl::StrCat("'", text, "' is no duration"));
}

absl::StatusOr<foxtive::BackoffStrategy> ParseBackoff(const std::vector<std::string>& texts) {
  if (texts.size() != 2) return Wrong("backoff", "two durations are wanted: 1s,30s");
  const absl::StatusOr<absl::Duration> first = ParseDuration("backoff", texts[0]);
  if (!first.ok()) return first.status();
  const absl::StatusOr<absl::Duration> last = ParseDuration("backoff", texts[1]);
  if (!last.ok()) return last.status();
  const auto backoff = foxtive::BackoffStrategy::Exponential(*first, *last).WithJitter(kJitter);
  if (absl::Status status = backoff.Validate(); !status.ok()) {
    return Wrong("backoff", status.message());
  }
  return backoff;
}

absl::StatusOr<Sabotage> ParseSabotage(const std::string& text) {
  if (text.empty()) return Sabotage::kNone;
  if (text == "lose") return Sabotage::kLose;
  if (text == "double") return Sabotage::kDouble;
  return Wrong("sabotage", absl::StrCat("'", text, "' is neither 'lose' nor 'double'"));
}

absl::Status CheckTopics(const std::vector<std::string>& topics) {
  if (topics.empty()) return Wrong("topics", "at least one");
  std::set<std::string> seen;
  for (const std::string& topic : topics) {
    if (topic.empty()) return Wrong("topics", "one has no name");
    if (!seen.insert(topic).second) return Wrong("topics", absl::StrCat(topic, " is there twice"));
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const Options& options) {
  if (options.messages < 1) return Wrong("messages", "at least 1");
  if (options.batch < 1) return Wrong("batch", "at least 1");
  if (options.crashes < 0) return Wrong("crashes", "at least 0");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Options> ParseOptions(int argc, char** argv) {
  absl::SetProgramUsageMessage("consumes Kafka topics, whatever goes wrong; see the flags");
  absl::ParseCommandLine(argc, argv);
  Options options{.brokers = absl::GetFlag(FLAGS_brokers),
                  .topics = absl::GetFlag(FLAGS_topics),
                  .messages = absl::GetFlag(FLAGS_messages),
                  .crashes = absl::GetFlag(FLAGS_crashes),
                  .batch = absl::GetFlag(FLAGS_batch),
                  .seed = absl::GetFlag(FLAGS_seed),
                  .event_log = absl::GetFlag(FLAGS_event_log)};
  const auto pause = ParseDuration("pause", absl::GetFlag(FLAGS_pause));
  const auto patience = ParseDuration("patience", absl::GetFlag(FLAGS_patience));
  const auto backoff = ParseBackoff(absl::GetFlag(FLAGS_backoff));
  const auto sabotage = ParseSabotage(absl::GetFlag(FLAGS_sabotage));
  for (const absl::Status& status :
       {pause.status(), patience.status(), backoff.status(), sabotage.status(),
        CheckTopics(options.topics), CheckNumbers(options)}) {
    if (!status.ok()) return status;
  }
  options.pause = *pause;
  options.patience = *patience;
  options.backoff = *backoff;
  options.sabotage = *sabotage;
  return options;
}

}  // namespace kafka_consumer
