// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the two programs share: TCP over the loopback interface with blocking calls, where every
// failure is the system's own error ("recv: Connection reset by peer"), and a line of the timeline.
//
// Thread safety: a Socket belongs to one thread at a time; see unblocker.h for the exception.

#ifndef FOXTIVE_EXAMPLES_LOG_SHIPPER_SOCKET_H_
#define FOXTIVE_EXAMPLES_LOG_SHIPPER_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace log_shipper {

// Writes "who: what" to stderr in one piece, so that lines of several processes do not mix.
void Say(absl::string_view who, absl::string_view what);

// The error of the system call that has just failed.
absl::Status SystemError(absl::string_view what);

// Owns a descriptor; -1 is none.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

class Socket {
 public:
  static absl::StatusOr<Socket> Create();

  absl::Status Connect(uint16_t port);

  // On a port that the kernel chooses.
  absl::Status Listen();
  absl::StatusOr<uint16_t> LocalPort() const;
  absl::StatusOr<Socket> Accept() const;

  absl::Status Send(absl::string_view bytes) const;
  // Waits for the first bytes, at most `size` of them. 0: the peer has closed the connection.
  absl::StatusOr<size_t> Receive(char* bytes, size_t size) const;

  int descriptor() const { return descriptor_.get(); }

 private:
  explicit Socket(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  FileDescriptor descriptor_;
};

}  // namespace log_shipper

#endif  // FOXTIVE_EXAMPLES_LOG_SHIPPER_SOCKET_H_
