// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/consumer_session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace kafka_consumer {
namespace {

// How long the answer to a commit may take, and how long once a stop has been asked for.
constexpr absl::Duration kCommitLimit = absl::Seconds(10);
constexpr absl::Duration kCommitLimitWhenWoken = absl::Seconds(1);

constexpr int kEvents = RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_FETCH |
                        RD_KAFKA_EVENT_OFFSET_COMMIT;

// Of the request, or of the first partition whose commit was refused.
absl::Status CommitResult(rd_kafka_event_t* event) {
  rd_kafka_resp_err_t error = rd_kafka_event_error(event);
  const rd_kafka_topic_partition_list_t* partitions = rd_kafka_event_topic_partition_list(event);
  for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = partitions->elems[i].err;
  }
  return KafkaStatus(error, "commit");
}

}  // namespace

absl::StatusOr<std::shared_ptr<ConsumerSession>> ConsumerSession::Create(const std::string& brokers,
                                                                         const std::string& group,
                                                                         const std::string& topic) {
  const Settings settings = {
      {"bootstrap.servers", brokers},
      {"group.id", group},
      {"enable.auto.commit", "false"},
      {"auto.offset.reset", "earliest"},
      // A broker that is back is noticed within a second, a member that is gone within six.
      {"reconnect.backoff.max.ms", "1000"},
      {"session.timeout.ms", "6000"},
      {"heartbeat.interval.ms", "1000"},
      // A topic that nobody has made yet is an error at once.
      {"topic.metadata.propagation.max.ms", "0"},
  };
  auto client = NewClient(RD_KAFKA_CONSUMER, settings, kEvents);
  if (!client.ok()) return client.status();
  // Its errors come where its messages come.
  rd_kafka_poll_set_consumer(client->get());
  std::shared_ptr<ConsumerSession> session(new ConsumerSession(*std::move(client), topic));

  const PartitionsPointer topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t error = rd_kafka_subscribe(session->client_.get(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaStatus(error, "subscribe");
  return session;
}

ConsumerSession::ConsumerSession(ClientPointer client, std::string topic)
    : topic_(std::move(topic)),
      client_(std::move(client)),
      queue_(rd_kafka_queue_get_consumer(client_.get())),
      commits_(rd_kafka_queue_new(client_.get())) {}

// Without partitions there is nothing to give back; and a member that is about to join would have
// to wait for that, because the broker answers in order.
ConsumerSession::~ConsumerSession() {
  if (assigned_) rd_kafka_consumer_close(client_.get());
}

absl::Status ConsumerSession::Join(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (!assigned_) {
    if (woken_) return absl::CancelledError("woken while it joined its group");
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("no partitions of ", topic_, " within ", absl::FormatDuration(limit)));
    }
    // There are no messages before there are partitions.
    const auto record = Poll(deadline - absl::Now());
    if (!record.ok()) return record.status();
  }
  return absl::OkStatus();
}

absl::Status ConsumerSession::GoBackToCommitted() {
  DropWhatIsQueued();
  rd_kafka_topic_partition_list_t* list = nullptr;
  if (const auto error = rd_kafka_assignment(client_.get(), &list)) {
    return KafkaStatus(error, "assignment");
  }
  const PartitionsPointer partitions(list);
  // None: they will come in a rebalance, and start at the committed offsets.
  if (list->cnt == 0) return absl::OkStatus();
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = RD_KAFKA_OFFSET_STORED;
  return KafkaStatus(rd_kafka_assign(client_.get(), list), "assign");
}

// What has been read ahead, and errors of the time when nobody asked: they are history.
void ConsumerSession::DropWhatIsQueued() {
  for (size_t left = rd_kafka_queue_length(queue_.get()); left > 0; --left) {
    const EventPointer event = NextEvent(queue_.get(), absl::ZeroDuration());
    if (event == nullptr) return;
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) {
      HandleRebalance(event.get()).IgnoreError();
    }
  }
}

absl::StatusOr<std::optional<Record>> ConsumerSession::Poll(absl::Duration limit) {
  const EventPointer event = NextEvent(queue_.get(), limit);
  if (event == nullptr) return std::nullopt;
  return Handle(event.get());
}

absl::StatusOr<std::optional<Record>> ConsumerSession::Handle(rd_kafka_event_t* event) {
  absl::Status status;
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_FETCH:
      return HandleMessage(event);
    case RD_KAFKA_EVENT_REBALANCE:
      status = HandleRebalance(event);
      break;
    case RD_KAFKA_EVENT_ERROR:
      status = HandleError(event);
      break;
    default:
      break;
  }
  if (!status.ok()) return status;
  return std::nullopt;
}

absl::StatusOr<std::optional<Record>> ConsumerSession::HandleMessage(rd_kafka_event_t* event) {
  const rd_kafka_message_t* message = rd_kafka_event_message_next(event);
  if (message == nullptr) return std::nullopt;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaStatus(message->err, absl::StrCat("consume ", topic_));
  }
  return Record{{message->partition, message->offset},
                std::string(static_cast<const char*>(message->payload), message->len)};
}

// Partitions that are given are taken. That some are taken away is an error of the attempt: what it
// has processed and not committed will come again.
absl::Status ConsumerSession::HandleRebalance(rd_kafka_event_t* event) {
  if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    rd_kafka_topic_partition_list_t* partitions = rd_kafka_event_topic_partition_list(event);
    assigned_ = partitions->cnt > 0;
    return KafkaStatus(rd_kafka_assign(client_.get(), partitions), "assign");
  }
  assigned_ = false;
  const absl::Status status = KafkaStatus(rd_kafka_assign(client_.get(), nullptr), "unassign");
  if (!status.ok()) return status;
  return absl::UnavailableError(absl::StrCat("the partitions of ", topic_, " were taken away"));
}

absl::Status ConsumerSession::HandleError(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t error = rd_kafka_event_error(event);
  // One connection, which the client makes again by itself.
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    return absl::OkStatus();
  }
  return KafkaStatus(error, rd_kafka_event_error_string(event));
}

absl::Status ConsumerSession::Commit(const std::map<int32_t, int64_t>& next_offsets) {
  const PartitionsPointer offsets(
      rd_kafka_topic_partition_list_new(static_cast<int>(next_offsets.size())));
  for (const auto& [partition, offset] : next_offsets) {
    rd_kafka_topic_partition_list_add(offsets.get(), topic_.c_str(), partition)->offset = offset;
  }
  const int64_t number = ++last_commit_;
  const rd_kafka_resp_err_t error =
      rd_kafka_commit_queue(client_.get(), offsets.get(), commits_.get(), nullptr,
                            reinterpret_cast<void*>(static_cast<intptr_t>(number)));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaStatus(error, "commit");
  return WaitForCommit(number);
}

absl::Status ConsumerSession::WaitForCommit(int64_t number) {
  const absl::Time begin = absl::Now();
  while (true) {
    const absl::Time deadline = begin + (woken_ ? kCommitLimitWhenWoken : kCommitLimit);
    const absl::Duration left = deadline - absl::Now();
    const EventPointer event = NextEvent(commits_.get(), left);
    if (event == nullptr) {
      if (left > absl::ZeroDuration()) continue;  // woken
      return absl::DeadlineExceededError("commit: no answer");
    }
    // The answer to an earlier one, which was not waited for any longer?
    if (reinterpret_cast<intptr_t>(rd_kafka_event_opaque(event.get())) != number) continue;
    return CommitResult(event.get());
  }
}

// A queue remembers that it is to yield until somebody waits on it, so a wait that is just about to
// begin is cut short too.
void ConsumerSession::Wake() {
  woken_ = true;
  rd_kafka_queue_yield(queue_.get());
  rd_kafka_queue_yield(commits_.get());
}

}  // namespace kafka_consumer
