// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/legacy_embed/devices.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "examples/legacy_embed/logger.h"

namespace legacy_embed {

Device::Device(std::string name, Dial dial) : name_(std::move(name)), dial_(std::move(dial)) {}

Device::~Device() {
  if (socket_ >= 0) close(socket_);
}

void Device::Connect() {
  const int socket = dial_();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (socket_ >= 0) close(socket_);
  socket_ = socket;
  if (disconnected_) shutdown(socket_, SHUT_RDWR);
}

void Device::Serve() {
  std::string text;
  char bytes[256];
  while (true) {
    const ssize_t size = TEMP_FAILURE_RETRY(recv(socket_, bytes, sizeof(bytes), 0));
    if (size < 0) throw std::system_error(errno, std::generic_category(), "recv");
    if (size == 0) return;
    text.append(bytes, static_cast<size_t>(size));
    for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      OnLine(text.substr(0, end));
      ++readings_;
    }
  }
}

void Device::Disconnect() {
  const std::lock_guard<std::mutex> lock(mutex_);
  disconnected_ = true;
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

void Scale::OnLine(const std::string& line) {
  char* end = nullptr;
  std::strtod(line.c_str(), &end);
  if (line.empty() || *end != '\0') throw std::invalid_argument("\"" + line + "\" is no weight");
  Logger::Get().Write(Logger::kInfo, name() + ": " + line + " kg");
}

void Scanner::OnLine(const std::string& line) {
  Logger::Get().Write(Logger::kInfo, name() + ": code " + line);
}

}  // namespace legacy_embed
