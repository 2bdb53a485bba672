// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Producer: a supervised worker that fills the topics with numbered messages, evenly. Each attempt
// has a client of its own, and sends what the broker has not confirmed so far.
//
// Thread safety: one thread at a time.

#ifndef FOXTIVE_EXAMPLES_KAFKA_PRODUCER_H_
#define FOXTIVE_EXAMPLES_KAFKA_PRODUCER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/kafka/kafka_client.h"
#include "examples/kafka/ledger.h"
#include "foxtive/task_context.h"

namespace kafka_consumer {

struct ProducerOptions {
  std::string brokers{};
  std::string run{};  // see payload.h
  std::vector<std::string> topics{};
  int64_t messages = 0;    // for each topic
  absl::Duration pause{};  // between two messages of a topic
};

class Producer {
 public:
  Producer(ProducerOptions options, std::shared_ptr<Ledger> ledger)
      : options_(std::move(options)), ledger_(std::move(ledger)) {}

  // OK when the broker has confirmed all messages, or after a stop.
  absl::Status Run(foxtive::TaskContext& context);

 private:
  using Message = std::pair<std::string, int64_t>;  // topic and number

  absl::Status SendAll(rd_kafka_t* client, rd_kafka_queue_t* reports,
                       foxtive::TaskContext& context);
  absl::Status Send(rd_kafka_t* client, const Message& message);
  absl::Status TakeReports(rd_kafka_queue_t* reports);
  absl::Status TakeReport(const rd_kafka_message_t& message);
  bool all_confirmed() const {
    return confirmed_.size() == options_.topics.size() * static_cast<size_t>(options_.messages);
  }

  const ProducerOptions options_;
  const std::shared_ptr<Ledger> ledger_;
  std::set<Message> confirmed_;
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_PRODUCER_H_
