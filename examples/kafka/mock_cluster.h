// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// MockCluster: the brokers that come with librdkafka. They are sockets on the loopback interface of
// this process that speak Kafka's protocol, hold topics and groups in memory, and fail on demand.
//
// Thread safety: all members may be called from any thread.

#ifndef FOXTIVE_EXAMPLES_KAFKA_MOCK_CLUSTER_H_
#define FOXTIVE_EXAMPLES_KAFKA_MOCK_CLUSTER_H_

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/kafka/kafka_client.h"

namespace kafka_consumer {

// Numbers of Kafka's protocol.
enum class Request : int16_t { kProduce = 0, kFetch = 1, kOffsetCommit = 8, kHeartbeat = 12 };

class MockCluster {
 public:
  static constexpr int kAllBrokers = -1;

  static absl::StatusOr<std::shared_ptr<MockCluster>> Start(int brokers);

  // The addresses, as a client wants them.
  std::string brokers() const;

  absl::Status CreateTopic(const std::string& topic, int partitions, int replicas);

  // A broker is its number, from 1.
  void SetDown(int broker);
  void SetUp(int broker);
  void SetLatency(int broker, absl::Duration round_trip);

  // The next requests of this kind, of whichever client, fail. RD_KAFKA_RESP_ERR__TRANSPORT drops
  // the connection.
  void FailNext(Request request, const std::vector<rd_kafka_resp_err_t>& errors);

 private:
  using ClusterPointer =
      std::unique_ptr<rd_kafka_mock_cluster_t, Destroyer<&rd_kafka_mock_cluster_destroy>>;

  MockCluster(ClientPointer client, ClusterPointer cluster)
      : client_(std::move(client)), cluster_(std::move(cluster)) {}

  const ClientPointer client_;  // the cluster hangs on it
  const ClusterPointer cluster_;
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_MOCK_CLUSTER_H_
