// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Snapshot: the lines of a log file as it was when it was read, found by their offsets.
//
// Thread safety: immutable.

#ifndef FOXTIVE_EXAMPLES_LOG_SHIPPER_SNAPSHOT_H_
#define FOXTIVE_EXAMPLES_LOG_SHIPPER_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace log_shipper {

class Snapshot {
 public:
  Snapshot() = default;
  static absl::StatusOr<Snapshot> Read(const std::string& path);

  int64_t size() const { return static_cast<int64_t>(text_.size()); }
  int64_t LinesBefore(int64_t offset) const;

  // The bytes between two offsets.
  absl::string_view Bytes(int64_t begin, int64_t end) const;

  // From `offset` to the end of its line, with the newline; empty at the end of the snapshot.
  absl::string_view LineAt(int64_t offset) const;

 private:
  explicit Snapshot(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

// Reads a line of a log; here that means to make sure that it is text. Throws std::runtime_error,
// which quotes the line, if it holds a NUL byte: a machine that loses its power while it writes
// leaves such lines behind.
void ParseLine(absl::string_view line);

}  // namespace log_shipper

#endif  // FOXTIVE_EXAMPLES_LOG_SHIPPER_SNAPSHOT_H_
