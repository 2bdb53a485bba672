// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/producer.h"

#include "absl/strings/str_cat.h"
#include "examples/kafka/payload.h"

namespace kafka_consumer {
namespace {

// How often the reports are looked at once all is sent.
constexpr absl::Duration kReportPause = absl::Milliseconds(20);

}  // namespace

absl::Status Producer::Run(foxtive::TaskContext& context) {
  const Settings settings = {
      {"bootstrap.servers", options_.brokers},
      // The client repeats what is not confirmed, for ever, and the broker drops what it has.
      {"enable.idempotence", "true"},
      {"message.timeout.ms", "0"},
      {"reconnect.backoff.max.ms", "1000"},
  };
  auto client = NewClient(RD_KAFKA_PRODUCER, settings, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  if (!client.ok()) return client.status();
  const QueuePointer reports(rd_kafka_queue_get_main(client->get()));
  absl::Status status = SendAll(client->get(), reports.get(), context);
  rd_kafka_purge(client->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  return status;
}

absl::Status Producer::SendAll(rd_kafka_t* client, rd_kafka_queue_t* reports,
                               foxtive::TaskContext& context) {
  const std::set<Message> confirmed_before = confirmed_;
  for (int64_t number = 0; number < options_.messages; ++number) {
    bool any_sent = false;
    for (const std::string& topic : options_.topics) {
      if (confirmed_before.count({topic, number}) > 0) continue;
      if (absl::Status status = Send(client, {topic, number}); !status.ok()) return status;
      any_sent = true;
    }
    if (any_sent && !context.SleepFor(options_.pause)) return absl::OkStatus();
    if (absl::Status status = TakeReports(reports); !status.ok()) return status;
  }
  while (!all_confirmed()) {
    if (!context.SleepFor(kReportPause)) return absl::OkStatus();
    if (absl::Status status = TakeReports(reports); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The number goes with the message as its opaque, and comes back with the report.
absl::Status Producer::Send(rd_kafka_t* client, const Message& message) {
  const auto& [topic, number] = message;
  const std::string payload = Payload(options_.run, number);
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      client, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_KEY(payload.data(), payload.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
      RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<intptr_t>(number))), RD_KAFKA_V_END);
  return KafkaStatus(error, absl::StrCat("produce ", topic, " ", number));
}

absl::Status Producer::TakeReports(rd_kafka_queue_t* reports) {
  while (const EventPointer event = NextEvent(reports, absl::ZeroDuration())) {
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR) {
      // Others it gets over by itself.
      if (rd_kafka_event_error_is_fatal(event.get())) {
        return KafkaStatus(rd_kafka_event_error(event.get()), "produce");
      }
      continue;
    }
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      if (absl::Status status = TakeReport(*message); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Producer::TakeReport(const rd_kafka_message_t& message) {
  const std::string topic = rd_kafka_topic_name(message.rkt);
  const int64_t number = reinterpret_cast<intptr_t>(message._private);
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaStatus(message.err, absl::StrCat("deliver ", topic, " ", number));
  }
  confirmed_.emplace(topic, number);
  ledger_->Delivered(topic, number, {message.partition, message.offset});
  return absl::OkStatus();
}

}  // namespace kafka_consumer
