// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/ledger.h"

#include <algorithm>
#include <utility>

namespace kafka_consumer {

Ledger::Ledger(const std::vector<std::string>& topics, int64_t messages_per_topic,
               std::function<void()> on_complete)
    : on_complete_(std::move(on_complete)) {
  for (const std::string& topic : topics) topics_.emplace(topic, messages_per_topic);
}

void Ledger::Delivered(const std::string& topic, int64_t number, Position position) {
  {
    const std::lock_guard lock(mutex_);
    topics_.at(topic).Delivered(number, position);
  }
  TellIfComplete();
}

void Ledger::Processed(const std::string& topic, int64_t number, Position position) {
  const std::lock_guard lock(mutex_);
  topics_.at(topic).Processed(number, position);
}

void Ledger::Committed(const std::string& topic, const std::map<int32_t, int64_t>& next_offsets) {
  {
    const std::lock_guard lock(mutex_);
    TopicLedger& ledger = topics_.at(topic);
    for (const auto& [partition, offset] : next_offsets) ledger.Committed(partition, offset);
  }
  TellIfComplete();
}

void Ledger::LeftUncommitted(const std::string& topic, const std::vector<Position>& positions) {
  const std::lock_guard lock(mutex_);
  topics_.at(topic).LeftUncommitted(positions);
}

double Ledger::Progress() const {
  const std::lock_guard lock(mutex_);
  double processed = 0;
  double messages = 0;
  for (const auto& [topic, ledger] : topics_) {
    processed += static_cast<double>(ledger.processed());
    messages += static_cast<double>(ledger.messages());
  }
  return messages > 0 ? processed / messages : 1;
}

std::map<std::string, TopicVerdict> Ledger::Verdicts() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, TopicVerdict> verdicts;
  for (const auto& [topic, ledger] : topics_) verdicts.emplace(topic, ledger.Verdict());
  return verdicts;
}

void Ledger::TellIfComplete() {
  {
    const std::lock_guard lock(mutex_);
    if (!BecomesCompleteLocked()) return;
  }
  if (on_complete_) on_complete_();
}

bool Ledger::BecomesCompleteLocked() {
  if (complete_) return false;
  complete_ = std::all_of(topics_.begin(), topics_.end(),
                          [](const auto& topic) { return topic.second.complete(); });
  return complete_;
}

}  // namespace kafka_consumer
