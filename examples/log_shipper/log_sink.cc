// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Receives the lines of log_shipper, one shipper at a time, and appends them to a file.
//
//   log_sink --file=/srv/copy.log --port_file=/run/log_sink.port
//
// What the two say to each other, in a connection:
//
//   sink     "<offset>\n"   first, and whenever it has more complete lines in its file: it has
//                           everything before <offset>
//   shipper  the bytes of its log from the first <offset> on
//
// The sink remembers nothing but its file. So it has no way to end but to be killed, and after that
// goes on as if nothing had happened: it cuts off a line of which only a part got into the file,
// and never said that it had.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "examples/log_shipper/socket.h"

ABSL_FLAG(std::string, file, "log_sink.log", "where the lines go");
ABSL_FLAG(std::string, port_file, "log_sink.port", "where to write the port of 127.0.0.1");
ABSL_FLAG(int64_t, bytes_per_second, 0, "how much to take; 0: as much as comes");
ABSL_FLAG(int64_t, hang_at, 0,
          "take nothing more when the file has so many bytes, as if the disk hung; 0: never");

namespace log_shipper {
namespace {

// How often the shipper hears of its progress if the flow is limited.
constexpr int64_t kStepsPerSecond = 20;

constexpr size_t kBufferBytes = size_t{64} * 1024;

absl::Status WritePort(uint16_t port) {
  const std::string path = absl::GetFlag(FLAGS_port_file);
  // Under another name first, so that nobody reads half a number.
  const std::string unfinished = absl::StrCat(path, ".new");
  std::ofstream out(unfinished);
  out << port << "\n";
  out.close();
  if (!out || std::rename(unfinished.c_str(), path.c_str()) != 0) return SystemError(path);
  Say("sink", absl::StrCat("process ", ::getpid(), " listens on port ", port));
  return absl::OkStatus();
}

absl::StatusOr<int64_t> EndOfLastLine(const FileDescriptor& file) {
  int64_t end = ::lseek(file.get(), 0, SEEK_END);
  for (char last = 0; end > 0; --end) {
    if (::pread(file.get(), &last, 1, end - 1) != 1) return SystemError("read the file");
    if (last == '\n') break;
  }
  return end;
}

absl::Status Append(const FileDescriptor& file, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0) return SystemError("write the file");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// How many bytes to take at most, and how long to take for them.
size_t StepBytes(int64_t size) {
  const int64_t rate = absl::GetFlag(FLAGS_bytes_per_second);
  int64_t step = kBufferBytes;
  if (rate > 0) step = std::clamp<int64_t>(rate / kStepsPerSecond, 1, step);
  const int64_t hang_at = absl::GetFlag(FLAGS_hang_at);
  if (hang_at > 0) step = std::min(step, hang_at - size);
  return static_cast<size_t>(std::max<int64_t>(step, 0));
}

absl::Duration StepTime(size_t bytes) {
  const int64_t rate = absl::GetFlag(FLAGS_bytes_per_second);
  return rate > 0 ? absl::Seconds(static_cast<double>(bytes) / static_cast<double>(rate))
                  : absl::ZeroDuration();
}

[[noreturn]] void HangForEver() {
  Say("sink", "hangs (--hang_at)");
  while (true) ::pause();
}

absl::Status SendOffset(const Socket& shipper, int64_t offset) {
  return shipper.Send(absl::StrCat(offset, "\n"));
}

// Takes what follows the first `size` bytes of the file, until the shipper leaves.
absl::Status Receive(const Socket& shipper, const FileDescriptor& file, int64_t size) {
  std::array<char, kBufferBytes> buffer;
  while (true) {
    const size_t step = StepBytes(size);
    if (step == 0) HangForEver();
    absl::StatusOr<size_t> received = shipper.Receive(buffer.data(), step);
    if (!received.ok()) return received.status();
    if (*received == 0) return absl::CancelledError("the shipper has hung up");
    const absl::string_view bytes(buffer.data(), *received);
    if (absl::Status status = Append(file, bytes); !status.ok()) return status;
    const size_t newline = bytes.rfind('\n');
    if (newline != absl::string_view::npos) {
      absl::Status status = SendOffset(shipper, size + static_cast<int64_t>(newline) + 1);
      if (!status.ok()) return status;
    }
    size += static_cast<int64_t>(bytes.size());
    absl::SleepFor(StepTime(bytes.size()));
  }
}

absl::Status Serve(const Socket& shipper) {
  const std::string path = absl::GetFlag(FLAGS_file);
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file.valid()) return SystemError(absl::StrCat("open ", path));
  const int64_t old_size = ::lseek(file.get(), 0, SEEK_END);
  absl::StatusOr<int64_t> size = EndOfLastLine(file);
  if (!size.ok()) return size.status();
  if (::ftruncate(file.get(), *size) != 0) return SystemError("truncate the file");
  if (*size < old_size) {
    Say("sink", absl::StrCat("cut ", old_size - *size, " bytes of an unfinished line"));
  }
  if (absl::Status status = SendOffset(shipper, *size); !status.ok()) return status;
  return Receive(shipper, file, *size);
}

absl::Status ServeForEver() {
  absl::StatusOr<Socket> listener = Socket::Create();
  if (!listener.ok()) return listener.status();
  if (absl::Status status = listener->Listen(); !status.ok()) return status;
  absl::StatusOr<uint16_t> port = listener->LocalPort();
  if (!port.ok()) return port.status();
  if (absl::Status status = WritePort(*port); !status.ok()) return status;
  while (true) {
    absl::StatusOr<Socket> shipper = listener->Accept();
    if (!shipper.ok()) return shipper.status();
    Say("sink", Serve(*shipper).message());
  }
}

}  // namespace
}  // namespace log_shipper

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  log_shipper::Say("sink", log_shipper::ServeForEver().ToString());
  return EXIT_FAILURE;
}
