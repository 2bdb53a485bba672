// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/topic_consumer.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/kafka/payload.h"

namespace kafka_consumer {
namespace {

// A broker waits some seconds for more members before it assigns partitions.
constexpr absl::Duration kJoinLimit = absl::Seconds(15);

// Without messages nothing has to be done: only a stop ends this wait, or an error.
constexpr absl::Duration kIdleWait = absl::Minutes(10);

// What has been processed is committed when nothing more has come for this time.
constexpr absl::Duration kLinger = absl::Milliseconds(50);

// The message that sabotage is done to.
constexpr int64_t kVictim = 7;

}  // namespace

TopicConsumer::TopicConsumer(ConsumerOptions options, CrashPlan crashes,
                             std::shared_ptr<Ledger> ledger)
    : options_(std::move(options)), ledger_(std::move(ledger)), crashes_(std::move(crashes)) {}

absl::Status TopicConsumer::Setup() {
  absl::StatusOr<std::shared_ptr<ConsumerSession>> session = ConsumerSession::Create(
      options_.brokers, absl::StrCat("foxtive.", options_.run, ".", options_.topic),
      options_.topic);
  absl::Status status = session.status();
  if (status.ok()) {
    Publish(*session);
    status = (*session)->Join(kJoinLimit);
  }
  if (!status.ok()) {
    ++failed_setups_;
    Publish(nullptr);
  }
  return status;
}

absl::Status TopicConsumer::Run(foxtive::TaskContext& context) {
  Batch batch(ledger_, options_.topic);
  const auto on_stop = context.OnStop([session = session_] { session->Wake(); });
  if (absl::Status status = session_->GoBackToCommitted(); !status.ok()) return status;
  while (!context.stop_requested()) {
    absl::StatusOr<std::optional<Record>> record =
        session_->Poll(batch.empty() ? kIdleWait : kLinger);
    if (!record.ok()) return record.status();
    if (record->has_value()) Process(**record, batch);
    const bool is_pause = !record->has_value();
    if (static_cast<int64_t>(batch.size()) >= options_.batch || (is_pause && !batch.empty())) {
      if (absl::Status status = Commit(batch); !status.ok()) return status;
      context.MarkHealthy();  // the next failure is a new one, with a short delay
    }
  }
  return Commit(batch);
}

void TopicConsumer::Process(const Record& record, Batch& batch) {
  const std::optional<int64_t> number = NumberIn(record.payload, options_.run);
  if (!number.has_value()) {  // of an earlier run
    batch.GoPast(record.position);
    return;
  }
  crashes_.BeforeWork(*number);
  batch.GoPast(record.position);
  const bool is_victim = *number == kVictim;
  if (!is_victim || options_.sabotage != Sabotage::kLose) batch.Processed(*number, record.position);
  if (is_victim && options_.sabotage == Sabotage::kDouble) {
    batch.Processed(*number, record.position);
  }
  crashes_.AfterWork(*number);
}

absl::Status TopicConsumer::Commit(Batch& batch) {
  if (batch.empty()) return absl::OkStatus();
  if (absl::Status status = session_->Commit(batch.next_offsets()); !status.ok()) return status;
  batch.Committed();
  return absl::OkStatus();
}

// A stop that comes before this finds no session; so the session is told here.
void TopicConsumer::Publish(std::shared_ptr<ConsumerSession> session) {
  {
    const std::lock_guard lock(mutex_);
    session_.swap(session);
    if (stopping_ && session_ != nullptr) session_->Wake();
  }
  // The old one is closed here, if there was one, without the lock.
}

// Runs beside Setup and Run, to end the wait that they are in.
void TopicConsumer::OnShutdown() {
  std::shared_ptr<ConsumerSession> session;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    session = session_;
  }
  if (session != nullptr) session->Wake();
}

void TopicConsumer::Cleanup() { Publish(nullptr); }

void TopicConsumer::OnError(const absl::Status&, int64_t) { ++errors_; }

void TopicConsumer::OnException(const std::exception_ptr&, std::string_view, int64_t) {
  ++exceptions_;
}

}  // namespace kafka_consumer
