// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/broker_faults.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/kafka/say.h"

namespace kafka_consumer {
namespace {

constexpr int kAll = MockCluster::kAllBrokers;
constexpr absl::Duration kLatency = absl::Milliseconds(400);
constexpr absl::Duration kLookPause = absl::Milliseconds(20);

void FailCommits(MockCluster& cluster) {
  cluster.FailNext(Request::kOffsetCommit, {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS});
}

void LoseMembership(MockCluster& cluster) {
  cluster.FailNext(Request::kHeartbeat, {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID});
}

void FailFetches(MockCluster& cluster) {
  cluster.FailNext(Request::kFetch, {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                     RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                     RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TRANSPORT});
}

void FailProduces(MockCluster& cluster) {
  cluster.FailNext(Request::kProduce,
                   {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT,
                    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
}

}  // namespace

std::vector<BrokerFaults::Fault> BrokerFaults::All() {
  const auto nothing = [](MockCluster&) {};
  const auto all_up = [](MockCluster& cluster) { cluster.SetUp(kAll); };
  const auto all_down = [](MockCluster& cluster) { cluster.SetDown(kAll); };
  return {
      {0, "no broker is there at the start, for 3 s", all_down, absl::Seconds(3), all_up},
      {0.1, "two commits are refused", FailCommits, {}, nothing},
      {0.2, "three produce requests fail", FailProduces, {}, nothing},
      {0.3, "all brokers go down, for 2 s", all_down, absl::Seconds(2), all_up},
      {0.45, "fetches fail, two with their connection", FailFetches, {}, nothing},
      {0.55, absl::StrCat("every answer takes ", absl::FormatDuration(kLatency), ", for 2 s"),
       [](MockCluster& cluster) { cluster.SetLatency(kAll, kLatency); }, absl::Seconds(2),
       [](MockCluster& cluster) { cluster.SetLatency(kAll, absl::ZeroDuration()); }},
      {0.65, "a group forgets its member", LoseMembership, {}, nothing},
      {0.75, "broker 1 of 3 goes down, for 2 s", [](MockCluster& cluster) { cluster.SetDown(1); },
       absl::Seconds(2), all_up},
      {0.85, "two more commits are refused", FailCommits, {}, nothing},
  };
}

BrokerFaults::BrokerFaults(std::shared_ptr<MockCluster> cluster,
                           std::shared_ptr<const Ledger> ledger)
    : cluster_(std::move(cluster)), ledger_(std::move(ledger)), faults_(All()) {
  // The first one is there before anybody can connect.
  faults_.front().begin(*cluster_);
}

absl::Status BrokerFaults::Run(foxtive::TaskContext& context) {
  for (const Fault& fault : faults_) {
    if (!WaitForProgress(fault.progress, context)) break;
    Say(absl::StrCat("brokers: ", fault.what));
    fault.begin(*cluster_);
    context.SleepFor(fault.lasts);
    fault.end(*cluster_);
    ++done_;
  }
  return absl::OkStatus();
}

bool BrokerFaults::WaitForProgress(double progress, foxtive::TaskContext& context) const {
  while (ledger_->Progress() < progress) {
    if (!context.SleepFor(kLookPause)) return false;
  }
  return !context.stop_requested();
}

}  // namespace kafka_consumer
