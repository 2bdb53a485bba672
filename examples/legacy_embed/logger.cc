// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/legacy_embed/logger.h"

#include <iostream>

namespace legacy_embed {

Logger& Logger::Get() {
  static Logger* const logger = new Logger(std::cout);
  return *logger;
}

void Logger::Write(Level level, const std::string& text) {
  static constexpr const char* kNames[] = {"INFO", "WARNING", "ERROR"};
  const std::lock_guard<std::mutex> lock(mutex_);
  sink_ << kNames[level] << " " << text << std::endl;
}

}  // namespace legacy_embed
