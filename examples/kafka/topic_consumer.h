// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TopicConsumer: a supervised worker that consumes one topic: read, process, commit, in this order,
// so that a message is processed at least once. It handles no error: it returns it, or throws, and
// the next attempt goes on where the broker says that the group is.
//
// Thread safety: one thread at a time, as the Supervisor sees to, except `OnShutdown` and the
// counts.

#ifndef FOXTIVE_EXAMPLES_KAFKA_TOPIC_CONSUMER_H_
#define FOXTIVE_EXAMPLES_KAFKA_TOPIC_CONSUMER_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "examples/kafka/batch.h"
#include "examples/kafka/consumer_session.h"
#include "examples/kafka/crash_plan.h"
#include "examples/kafka/ledger.h"
#include "foxtive/supervised_task.h"

namespace kafka_consumer {

// What breaks the promise on purpose, to see that it is noticed.
enum class Sabotage { kNone, kLose, kDouble };

struct ConsumerOptions {
  std::string brokers{};
  std::string run{};  // see payload.h; also a part of the group's name
  std::string topic{};
  foxtive::BackoffStrategy backoff = foxtive::BackoffStrategy::Exponential();
  int64_t batch = 1;  // messages per commit
  Sabotage sabotage = Sabotage::kNone;
};

class TopicConsumer : public foxtive::SupervisedTask {
 public:
  TopicConsumer(ConsumerOptions options, CrashPlan crashes, std::shared_ptr<Ledger> ledger);

  std::string name() const override { return options_.topic; }
  foxtive::RestartPolicy restart_policy() const override {
    return foxtive::RestartPolicy::Always();
  }
  foxtive::BackoffStrategy backoff_strategy() const override { return options_.backoff; }
  void Configure(foxtive::TaskSpec& spec) const override { spec.retry_setup = true; }

  absl::Status Setup() override;
  absl::Status Run(foxtive::TaskContext& context) override;
  void OnShutdown() override;
  void Cleanup() override;

  // Setup included.
  void OnError(const absl::Status& error, int64_t attempt) override;
  void OnException(const std::exception_ptr& exception, std::string_view what,
                   int64_t attempt) override;

  int64_t failed_setups() const { return failed_setups_; }
  int64_t errors() const { return errors_ - failed_setups_; }
  int64_t exceptions() const { return exceptions_; }

 private:
  void Process(const Record& record, Batch& batch);
  absl::Status Commit(Batch& batch);
  void Publish(std::shared_ptr<ConsumerSession> session);

  const ConsumerOptions options_;
  const std::shared_ptr<Ledger> ledger_;
  CrashPlan crashes_;

  std::mutex mutex_;
  // Set by the worker's thread, under mutex_, so that it alone may read it without.
  std::shared_ptr<ConsumerSession> session_;
  bool stopping_ = false;  // guarded by mutex_

  std::atomic<int64_t> failed_setups_ = 0;
  std::atomic<int64_t> errors_ = 0;
  std::atomic<int64_t> exceptions_ = 0;
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_TOPIC_CONSUMER_H_
