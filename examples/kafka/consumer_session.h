// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// ConsumerSession: one client of a Kafka broker that is the only member of a consumer group for one
// topic. Offsets are committed when it is told to, never by itself.
//
// Lifetime: its destructor gives back its partitions, leaves the group and closes the connections.
// Thread safety: one thread at a time, except `Wake`.
// Blocking: `Join`, `Poll` and `Commit`, each within a limit, and never in a way that `Wake` does
// not end; the destructor until the group is left, or librdkafka gives that up.

#ifndef FOXTIVE_EXAMPLES_KAFKA_CONSUMER_SESSION_H_
#define FOXTIVE_EXAMPLES_KAFKA_CONSUMER_SESSION_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/kafka/kafka_client.h"
#include "examples/kafka/topic_ledger.h"

namespace kafka_consumer {

struct Record {
  Position position{};
  std::string payload{};
};

class ConsumerSession {
 public:
  static absl::StatusOr<std::shared_ptr<ConsumerSession>> Create(const std::string& brokers,
                                                                 const std::string& group,
                                                                 const std::string& topic);
  ~ConsumerSession();
  ConsumerSession(const ConsumerSession&) = delete;
  ConsumerSession& operator=(const ConsumerSession&) = delete;

  // Waits until the group has assigned partitions to this member.
  absl::Status Join(absl::Duration limit);

  // Forgets what has been read ahead, and goes on where the group's committed offsets are.
  absl::Status GoBackToCommitted();

  // The next message; none within `limit`, or woken: nullopt. An error also if the broker has taken
  // partitions away, or no broker can be reached.
  absl::StatusOr<std::optional<Record>> Poll(absl::Duration limit);

  // Commits, and waits for the answer. After an error the broker may have the commit all the same.
  absl::Status Commit(const std::map<int32_t, int64_t>& next_offsets);

  // Ends the wait that goes on, and makes later ones short. From any thread.
  void Wake();

 private:
  ConsumerSession(ClientPointer client, std::string topic);

  absl::StatusOr<std::optional<Record>> Handle(rd_kafka_event_t* event);
  absl::StatusOr<std::optional<Record>> HandleMessage(rd_kafka_event_t* event);
  absl::Status HandleRebalance(rd_kafka_event_t* event);
  absl::Status HandleError(rd_kafka_event_t* event);
  absl::Status WaitForCommit(int64_t number);
  void DropWhatIsQueued();

  const std::string topic_;
  const ClientPointer client_;
  const QueuePointer queue_;    // of messages, rebalances and errors
  const QueuePointer commits_;  // of answers to commits
  std::atomic<bool> woken_ = false;
  bool assigned_ = false;
  int64_t last_commit_ = 0;  // its number, by which its answer is known
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_CONSUMER_SESSION_H_
