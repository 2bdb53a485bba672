// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Shipper: the worker that log_shipper has supervised. It sends the lines of a file to log_sink and
// knows no other state than what the sink says that it has, so each attempt goes on where the sink
// is, whoever died at whatever moment. It handles no error: it returns it, or throws.
//
// Thread safety: one thread at a time, except `Unblock`.

#ifndef FOXTIVE_EXAMPLES_LOG_SHIPPER_SHIPPER_H_
#define FOXTIVE_EXAMPLES_LOG_SHIPPER_SHIPPER_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "examples/log_shipper/snapshot.h"
#include "examples/log_shipper/socket.h"
#include "examples/log_shipper/unblocker.h"
#include "foxtive/task_context.h"

namespace log_shipper {

class Shipper {
 public:
  // `port_file` holds the port on which the sink listens; it is read anew by each attempt.
  Shipper(std::string source, std::string port_file)
      : source_(std::move(source)), port_file_(std::move(port_file)) {}

  // Takes the snapshot that is to be shipped.
  absl::Status Setup();

  // Ships until the connection is lost, a line cannot be read, or a stop is asked for; what has
  // been shipped completely is followed by a wait for one of these. OK only after a stop.
  absl::Status Run(foxtive::TaskContext& context);

  // Ends whatever wait `Run` is in. From any thread.
  void Unblock() { unblocker_.ShutDown(); }

  // How many lines were shipped although they could not be read.
  size_t raw_lines() const { return raw_.size(); }

 private:
  absl::Status Ship(foxtive::TaskContext& context);
  absl::Status ShipFrom(int64_t offset, const Socket& sink, foxtive::TaskContext& context);
  absl::string_view NextBatch(int64_t begin);
  void ReportProgress(int64_t offset);

  const std::string source_;
  const std::string port_file_;
  Unblocker unblocker_;  // synchronised by itself
  Snapshot snapshot_;
  std::set<int64_t> raw_;       // offsets of the lines that an attempt has failed to read
  int64_t reported_tenth_ = 0;  // of the snapshot
};

}  // namespace log_shipper

#endif  // FOXTIVE_EXAMPLES_LOG_SHIPPER_SHIPPER_H_
