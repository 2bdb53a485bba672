// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Batch: the messages that an attempt has processed and whose commit the broker has not confirmed
// yet. Whatever ends the attempt, an error, an exception or a stop: what is left in the batch then
// is written down in the ledger, because it may come, and be processed, again.
//
// Thread safety: one thread at a time.

#ifndef FOXTIVE_EXAMPLES_KAFKA_BATCH_H_
#define FOXTIVE_EXAMPLES_KAFKA_BATCH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "examples/kafka/ledger.h"

namespace kafka_consumer {

class Batch {
 public:
  Batch(std::shared_ptr<Ledger> ledger, std::string topic)
      : ledger_(std::move(ledger)), topic_(std::move(topic)) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() {
    if (!processed_.empty()) ledger_->LeftUncommitted(topic_, processed_);
  }

  // The group can go on behind this message...
  void GoPast(Position position) { next_offsets_[position.partition] = position.offset + 1; }
  // ... which has been processed.
  void Processed(int64_t number, Position position) {
    ledger_->Processed(topic_, number, position);
    processed_.push_back(position);
  }

  // All of it.
  void Committed() {
    ledger_->Committed(topic_, next_offsets_);
    next_offsets_.clear();
    processed_.clear();
  }

  bool empty() const { return next_offsets_.empty(); }
  size_t size() const { return processed_.size(); }
  const std::map<int32_t, int64_t>& next_offsets() const { return next_offsets_; }

 private:
  const std::shared_ptr<Ledger> ledger_;
  const std::string topic_;
  std::map<int32_t, int64_t> next_offsets_;  // by partition
  std::vector<Position> processed_;
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_BATCH_H_
