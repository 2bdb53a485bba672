// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// BrokerFaults: what goes wrong with the brokers, one thing after the other, each when a certain
// share of the messages has been processed, so that it comes in the middle of the work however fast
// that goes.
//
// Thread safety: `Run` on one thread at a time; the counts from any.

#ifndef FOXTIVE_EXAMPLES_KAFKA_BROKER_FAULTS_H_
#define FOXTIVE_EXAMPLES_KAFKA_BROKER_FAULTS_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/kafka/ledger.h"
#include "examples/kafka/mock_cluster.h"
#include "foxtive/task_context.h"

namespace kafka_consumer {

class BrokerFaults {
 public:
  BrokerFaults(std::shared_ptr<MockCluster> cluster, std::shared_ptr<const Ledger> ledger);

  // All of them, or until a stop. The brokers are well when it returns.
  absl::Status Run(foxtive::TaskContext& context);

  size_t planned() const { return faults_.size(); }
  size_t done() const { return done_; }

 private:
  struct Fault {
    double progress = 0;
    std::string what{};
    std::function<void(MockCluster&)> begin{};
    absl::Duration lasts{};
    std::function<void(MockCluster&)> end{};
  };

  static std::vector<Fault> All();
  bool WaitForProgress(double progress, foxtive::TaskContext& context) const;

  const std::shared_ptr<MockCluster> cluster_;
  const std::shared_ptr<const Ledger> ledger_;
  const std::vector<Fault> faults_;
  std::atomic<size_t> done_ = 0;
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_BROKER_FAULTS_H_
