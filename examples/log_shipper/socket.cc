// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/log_shipper/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"

namespace log_shipper {
namespace {

sockaddr_in LoopbackAddress(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

void Say(absl::string_view who, absl::string_view what) {
  const std::string line = absl::StrCat(who, ": ", what, "\n");
  // Nothing sensible can be done about a stderr that takes nothing.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

absl::Status SystemError(absl::string_view what) { return absl::ErrnoToStatus(errno, what); }

FileDescriptor::~FileDescriptor() {
  if (valid()) ::close(fd_);
}

absl::StatusOr<Socket> Socket::Create() {
  FileDescriptor descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!descriptor.valid()) return SystemError("socket");
  return Socket(std::move(descriptor));
}

absl::Status Socket::Connect(uint16_t port) {
  const std::string what = absl::StrCat("connect to port ", port);
  const sockaddr_in address = LoopbackAddress(port);
  if (::connect(descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemError(what);
  }
  // Where nobody listens, the kernel may give the socket that very port for its own end, and TCP
  // then connects it to itself.
  absl::StatusOr<uint16_t> own_port = LocalPort();
  if (!own_port.ok()) return own_port.status();
  return *own_port == port ? absl::ErrnoToStatus(ECONNREFUSED, what) : absl::OkStatus();
}

absl::Status Socket::Listen() {
  const sockaddr_in address = LoopbackAddress(0);
  if (::bind(descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(descriptor(), SOMAXCONN) != 0) {
    return SystemError("listen");
  }
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> Socket::LocalPort() const {
  sockaddr_in address = {};
  socklen_t length = sizeof(address);
  if (::getsockname(descriptor(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return SystemError("getsockname");
  }
  return ntohs(address.sin_port);
}

absl::StatusOr<Socket> Socket::Accept() const {
  FileDescriptor peer(TEMP_FAILURE_RETRY(::accept4(descriptor(), nullptr, nullptr, SOCK_CLOEXEC)));
  if (!peer.valid()) return SystemError("accept");
  return Socket(std::move(peer));
}

absl::Status Socket::Send(absl::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent =
        TEMP_FAILURE_RETRY(::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    if (sent < 0) return SystemError("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> Socket::Receive(char* bytes, size_t size) const {
  const ssize_t received = TEMP_FAILURE_RETRY(::recv(descriptor(), bytes, size, 0));
  if (received < 0) return SystemError("recv");
  return static_cast<size_t>(received);
}

}  // namespace log_shipper
