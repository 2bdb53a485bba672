// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Ledger: the TopicLedgers of all topics, shared by the producer, the consumers and whoever waits
// for the end.
//
// Thread safety: all members may be called from any thread. A topic that is not in the ledger is a
// mistake of the caller's: std::out_of_range.

#ifndef FOXTIVE_EXAMPLES_KAFKA_LEDGER_H_
#define FOXTIVE_EXAMPLES_KAFKA_LEDGER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "examples/kafka/topic_ledger.h"

namespace kafka_consumer {

class Ledger {
 public:
  // `on_complete` is called once, on the thread that makes all topics complete.
  Ledger(const std::vector<std::string>& topics, int64_t messages_per_topic,
         std::function<void()> on_complete);

  void Delivered(const std::string& topic, int64_t number, Position position);
  void Processed(const std::string& topic, int64_t number, Position position);
  void Committed(const std::string& topic, const std::map<int32_t, int64_t>& next_offsets);
  void LeftUncommitted(const std::string& topic, const std::vector<Position>& positions);

  // The share of all messages that has been processed, 0 to 1.
  double Progress() const;

  std::map<std::string, TopicVerdict> Verdicts() const;

 private:
  void TellIfComplete();
  bool BecomesCompleteLocked();

  const std::function<void()> on_complete_;
  mutable std::mutex mutex_;
  std::map<std::string, TopicLedger> topics_;  // guarded by mutex_; its keys never change
  bool complete_ = false;                      // guarded by mutex_
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_LEDGER_H_
