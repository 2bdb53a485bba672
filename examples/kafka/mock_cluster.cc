// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/mock_cluster.h"

#include <utility>

namespace kafka_consumer {

absl::StatusOr<std::shared_ptr<MockCluster>> MockCluster::Start(int brokers) {
  auto client = NewClient(RD_KAFKA_PRODUCER, {}, RD_KAFKA_EVENT_NONE);
  if (!client.ok()) return client.status();
  ClusterPointer cluster(rd_kafka_mock_cluster_new(client->get(), brokers));
  if (cluster == nullptr) return absl::UnavailableError("the mock cluster does not start");
  return std::shared_ptr<MockCluster>(new MockCluster(*std::move(client), std::move(cluster)));
}

std::string MockCluster::brokers() const {
  return rd_kafka_mock_cluster_bootstraps(cluster_.get());
}

absl::Status MockCluster::CreateTopic(const std::string& topic, int partitions, int replicas) {
  return KafkaStatus(
      rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), partitions, replicas), topic);
}

void MockCluster::SetDown(int broker) { rd_kafka_mock_broker_set_down(cluster_.get(), broker); }

void MockCluster::SetUp(int broker) { rd_kafka_mock_broker_set_up(cluster_.get(), broker); }

void MockCluster::SetLatency(int broker, absl::Duration round_trip) {
  rd_kafka_mock_broker_set_rtt(cluster_.get(), broker,
                               static_cast<int>(absl::ToInt64Milliseconds(round_trip)));
}

void MockCluster::FailNext(Request request, const std::vector<rd_kafka_resp_err_t>& errors) {
  rd_kafka_mock_push_request_errors_array(cluster_.get(), static_cast<int16_t>(request),
                                          errors.size(), errors.data());
}

}  // namespace kafka_consumer
