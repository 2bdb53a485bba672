// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/log_shipper/shipper.h"

#include <fstream>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace log_shipper {
namespace {

// How much is under way before the sink has to say that it has it.
constexpr int64_t kBatchBytes = int64_t{64} * 1024;

// No offset is longer.
constexpr size_t kMaxOffsetDigits = 20;

absl::StatusOr<uint16_t> ReadPort(const std::string& path) {
  uint16_t port = 0;
  if (std::ifstream(path) >> port) return port;
  return absl::UnavailableError(absl::StrCat("no port in ", path));
}

// What the sink says: "<offset>\n", it has everything before that. Byte by byte, because such lines
// are short and few, and nothing is left over when an attempt ends.
absl::StatusOr<int64_t> ReceiveOffset(const Socket& sink) {
  std::string digits;
  while (digits.size() <= kMaxOffsetDigits) {
    char byte = 0;
    absl::StatusOr<size_t> received = sink.Receive(&byte, 1);
    if (!received.ok()) return received.status();
    if (*received == 0) return absl::UnavailableError("the sink has hung up");
    if (byte != '\n') {
      digits += byte;
      continue;
    }
    if (int64_t offset = 0; absl::SimpleAtoi(digits, &offset)) return offset;
    break;
  }
  return absl::DataLossError(absl::StrCat("the sink sent no offset, but ", digits));
}

}  // namespace

absl::Status Shipper::Setup() {
  absl::StatusOr<Snapshot> snapshot = Snapshot::Read(source_);
  if (!snapshot.ok()) return snapshot.status();
  snapshot_ = *std::move(snapshot);
  Say("shipper", absl::StrCat("setup: read ", snapshot_.LinesBefore(snapshot_.size()), " lines, ",
                              snapshot_.size(), " bytes"));
  return absl::OkStatus();
}

absl::Status Shipper::Run(foxtive::TaskContext& context) {
  absl::Status status = Ship(context);
  // After a stop it was Unblock that ended the connection, and that is no failure.
  return context.stop_requested() ? absl::OkStatus() : status;
}

absl::Status Shipper::Ship(foxtive::TaskContext& context) {
  absl::StatusOr<uint16_t> port = ReadPort(port_file_);
  if (!port.ok()) return port.status();
  absl::StatusOr<Socket> sink = Socket::Create();
  if (!sink.ok()) return sink.status();
  const Unblocker::Scope scope(unblocker_, *sink);
  if (absl::Status status = sink->Connect(*port); !status.ok()) return status;
  if (context.stop_requested()) return absl::OkStatus();

  absl::StatusOr<int64_t> offset = ReceiveOffset(*sink);
  if (!offset.ok()) return offset.status();
  if (*offset < 0 || *offset > snapshot_.size()) {
    return absl::DataLossError(
        absl::StrCat("the sink has ", *offset, " bytes of ", snapshot_.size()));
  }
  Say("shipper", absl::StrCat("attempt ", context.attempt(), ": connected, goes on at line ",
                              snapshot_.LinesBefore(*offset) + 1, ", offset ", *offset));
  return ShipFrom(*offset, *sink, context);
}

absl::Status Shipper::ShipFrom(int64_t offset, const Socket& sink, foxtive::TaskContext& context) {
  while (true) {
    const absl::string_view batch = NextBatch(offset);
    if (absl::Status status = sink.Send(batch); !status.ok()) return status;
    const int64_t sent = offset + static_cast<int64_t>(batch.size());
    // Also at the end of the snapshot, where only a lost connection or a stop ends the wait.
    do {
      absl::StatusOr<int64_t> acknowledged = ReceiveOffset(sink);
      if (!acknowledged.ok()) return acknowledged.status();
      if (*acknowledged <= offset || *acknowledged > sent) {
        return absl::DataLossError(absl::StrCat("the sink says that it has ", *acknowledged,
                                                " bytes, where it had ", offset, " and got ",
                                                batch.size()));
      }
      offset = *acknowledged;
      context.MarkHealthy();  // the next failure is a new one, with a short delay
      ReportProgress(offset);
    } while (offset < sent);
  }
}

// The lines from `begin` on that can be read. The attempt that meets one that cannot be read ships
// all before it, then fails; the next one finds it among the raw ones, and ships it as it is.
absl::string_view Shipper::NextBatch(int64_t begin) {
  int64_t end = begin;
  while (end < snapshot_.size() && end - begin < kBatchBytes) {
    const absl::string_view line = snapshot_.LineAt(end);
    if (raw_.count(end) > 0) {
      Say("shipper", "the line that cannot be read is shipped raw");
    } else {
      try {
        ParseLine(line);
      } catch (...) {
        if (end > begin) break;
        raw_.insert(end);
        throw;
      }
    }
    end += static_cast<int64_t>(line.size());
  }
  return snapshot_.Bytes(begin, end);
}

void Shipper::ReportProgress(int64_t offset) {
  const int64_t tenth = 10 * offset / snapshot_.size();
  if (tenth == reported_tenth_) return;
  reported_tenth_ = tenth;
  Say("shipper", absl::StrCat("the sink has ", snapshot_.LinesBefore(offset), " of ",
                              snapshot_.LinesBefore(snapshot_.size()), " lines"));
}

}  // namespace log_shipper
