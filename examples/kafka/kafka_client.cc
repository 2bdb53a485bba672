// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/kafka_client.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/strings/str_cat.h"

namespace kafka_consumer {
namespace {

using ConfigPointer = std::unique_ptr<rd_kafka_conf_t, Destroyer<&rd_kafka_conf_destroy>>;

constexpr size_t kMaxErrorText = 512;

absl::StatusCode CodeOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return absl::StatusCode::kOk;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return absl::StatusCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return absl::StatusCode::kNotFound;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return absl::StatusCode::kDeadlineExceeded;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return absl::StatusCode::kInvalidArgument;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

void DestroyClient(rd_kafka_t* client) {
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

absl::StatusOr<ClientPointer> NewClient(rd_kafka_type_t type, const Settings& settings,
                                        int events) {
  std::array<char, kMaxErrorText> error = {};
  ConfigPointer config(rd_kafka_conf_new());
  rd_kafka_conf_set_events(config.get(), events);
  Settings all = settings;
  all.emplace_back("log_level", "0");
  for (const auto& [name, value] : all) {
    if (rd_kafka_conf_set(config.get(), name.c_str(), value.c_str(), error.data(), error.size()) !=
        RD_KAFKA_CONF_OK) {
      return absl::InvalidArgumentError(absl::StrCat(name, " = '", value, "': ", error.data()));
    }
  }
  rd_kafka_t* client = rd_kafka_new(type, config.get(), error.data(), error.size());
  if (client == nullptr) return absl::UnavailableError(absl::StrCat("no client: ", error.data()));
  config.release();  // the client's now
  return ClientPointer(client);
}

absl::Status KafkaStatus(rd_kafka_resp_err_t error, absl::string_view what) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  return absl::Status(CodeOf(error), absl::StrCat(what, ": ", rd_kafka_err2str(error)));
}

EventPointer NextEvent(rd_kafka_queue_t* queue, absl::Duration limit) {
  const int64_t milliseconds =
      std::clamp<int64_t>(absl::ToInt64Milliseconds(limit), 0, std::numeric_limits<int>::max());
  return EventPointer(rd_kafka_queue_poll(queue, static_cast<int>(milliseconds)));
}

}  // namespace kafka_consumer
