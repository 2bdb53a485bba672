// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/topic_ledger.h"

#include <algorithm>

namespace kafka_consumer {

void TopicLedger::Delivered(int64_t number, Position position) {
  delivered_[number] = position;
  const auto [last, is_first] = last_delivered_.try_emplace(position.partition, position.offset);
  last->second = std::max(last->second, position.offset);
}

void TopicLedger::Processed(int64_t number, Position position) {
  if (number < 0 || number >= messages_) {
    unexplained_.push_back({number, position});
    return;
  }
  if (++times_processed_[number] == 1) return;
  const auto excuse = excuses_.find(position);
  if (excuse == excuses_.end()) {
    unexplained_.push_back({number, position});
    return;
  }
  ++explained_;
  if (--excuse->second == 0) excuses_.erase(excuse);
}

void TopicLedger::Committed(int32_t partition, int64_t next_offset) {
  committed_[partition] = next_offset;
}

void TopicLedger::LeftUncommitted(const std::vector<Position>& positions) {
  for (const Position& position : positions) ++excuses_[position];
  left_uncommitted_ += static_cast<int64_t>(positions.size());
}

bool TopicLedger::IsPast(Position position) const {
  const auto committed = committed_.find(position.partition);
  return committed != committed_.end() && committed->second > position.offset;
}

bool TopicLedger::complete() const {
  return static_cast<int64_t>(delivered_.size()) == messages_ &&
         std::all_of(last_delivered_.begin(), last_delivered_.end(), [this](const auto& last) {
           return IsPast({last.first, last.second});
         });
}

TopicVerdict TopicLedger::Verdict() const {
  TopicVerdict verdict{.messages = messages_,
                       .delivered = static_cast<int64_t>(delivered_.size()),
                       .processed = processed(),
                       .explained = explained_,
                       .left_uncommitted = left_uncommitted_,
                       .unexplained = unexplained_};
  for (const auto& [number, position] : delivered_) {
    if (times_processed_.count(number) == 0 && IsPast(position)) {
      verdict.lost.push_back({number, position});
    }
  }
  return verdict;
}

}  // namespace kafka_consumer
