// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What producer, consumers and mock cluster need of librdkafka: its objects with an owner, its
// errors as absl::Status, its settings checked.
//
// Everything that a client has to say comes as an event on one of its queues, which whoever waits
// there takes; no callback of ours runs on a thread of the library's.

#ifndef FOXTIVE_EXAMPLES_KAFKA_KAFKA_CLIENT_H_
#define FOXTIVE_EXAMPLES_KAFKA_KAFKA_CLIENT_H_

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace kafka_consumer {

template <auto destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* object) const {
    destroy(object);
  }
};

// Does not wait for a broker: a consumer that is to leave its group is closed before.
void DestroyClient(rd_kafka_t* client);

// A queue must go before its client.
using ClientPointer = std::unique_ptr<rd_kafka_t, Destroyer<&DestroyClient>>;
using QueuePointer = std::unique_ptr<rd_kafka_queue_t, Destroyer<&rd_kafka_queue_destroy>>;
using EventPointer = std::unique_ptr<rd_kafka_event_t, Destroyer<&rd_kafka_event_destroy>>;
using PartitionsPointer = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                          Destroyer<&rd_kafka_topic_partition_list_destroy>>;

using Settings = std::vector<std::pair<std::string, std::string>>;

// `events` is what the client is to tell, of RD_KAFKA_EVENT_...; what is not in it, it logs or
// handles by itself. Its log is silent but for emergencies: what matters comes as an error.
absl::StatusOr<ClientPointer> NewClient(rd_kafka_type_t type, const Settings& settings, int events);

// "<what>: <what Kafka says>"; OK if there is no error.
absl::Status KafkaStatus(rd_kafka_resp_err_t error, absl::string_view what);

// The next event, or null if there is none within `limit`, or `rd_kafka_queue_yield` cut the wait
// short.
EventPointer NextEvent(rd_kafka_queue_t* queue, absl::Duration limit);

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_KAFKA_CLIENT_H_
