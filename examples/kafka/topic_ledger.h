// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TopicLedger: what became of the numbered messages of one topic, and whether that is as promised:
// each processed at least once, and one more time only if an attempt had ended between its
// processing and its commit.
//
// It believes nobody: the producer says what the broker has, the consumer what it has processed and
// what the broker has confirmed as committed, and, when an attempt ends, what it leaves behind
// uncommitted. Each such entry excuses one more processing of that very offset, and nothing else.
//
// Thread safety: none; Ledger has a lock.

#ifndef FOXTIVE_EXAMPLES_KAFKA_TOPIC_LEDGER_H_
#define FOXTIVE_EXAMPLES_KAFKA_TOPIC_LEDGER_H_

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace kafka_consumer {

// Where a message is in its topic.
struct Position {
  int32_t partition = 0;
  int64_t offset = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
};

struct NumberedPosition {
  int64_t number = 0;
  Position position{};

  friend bool operator==(const NumberedPosition&, const NumberedPosition&) = default;
};

struct TopicVerdict {
  int64_t messages = 0;          // that there should be
  int64_t delivered = 0;         // that the broker has confirmed to the producer
  int64_t processed = 0;         // at least once
  int64_t explained = 0;         // processed once more, which was excused
  int64_t left_uncommitted = 0;  // excuses that attempts have left
  // Processed once more, and nobody knows why; or never sent at all.
  std::vector<NumberedPosition> unexplained{};
  // The group has gone past them, and they were never processed.
  std::vector<NumberedPosition> lost{};

  bool holds() const { return unexplained.empty() && lost.empty(); }
  bool all_processed() const { return delivered == messages && processed == messages; }
  // Excuses that nobody needed: the broker had the commit, but its answer was lost, or the end
  // came.
  int64_t unused_excuses() const { return left_uncommitted - explained; }
};

class TopicLedger {
 public:
  // The numbers are 0 to `messages` - 1.
  explicit TopicLedger(int64_t messages) : messages_(messages) {}

  // The broker has confirmed the message.
  void Delivered(int64_t number, Position position);

  // May come before `Delivered`: a consumer can be faster than the answer to the producer.
  void Processed(int64_t number, Position position);

  // The broker has confirmed that the group goes on at `next_offset`.
  void Committed(int32_t partition, int64_t next_offset);

  // An attempt has processed these, and ends without a confirmed commit of them.
  void LeftUncommitted(const std::vector<Position>& positions);

  int64_t messages() const { return messages_; }
  int64_t processed() const { return static_cast<int64_t>(times_processed_.size()); }

  // All messages are delivered, and the group has gone past all of them.
  bool complete() const;

  TopicVerdict Verdict() const;

 private:
  bool IsPast(Position position) const;

  const int64_t messages_;
  std::map<int64_t, Position> delivered_;       // by number
  std::map<int32_t, int64_t> last_delivered_;   // offset, by partition
  std::map<int32_t, int64_t> committed_;        // next offset, by partition
  std::map<int64_t, int64_t> times_processed_;  // by number
  std::map<Position, int64_t> excuses_;         // not used yet
  int64_t left_uncommitted_ = 0;
  int64_t explained_ = 0;
  std::vector<NumberedPosition> unexplained_;
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_TOPIC_LEDGER_H_
