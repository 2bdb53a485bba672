// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Logger: the log that the service has always had. Levels, a sink, one line at a time.
//
// Thread safety: any thread.

#ifndef FOXTIVE_EXAMPLES_LEGACY_EMBED_LOGGER_H_
#define FOXTIVE_EXAMPLES_LEGACY_EMBED_LOGGER_H_

#include <mutex>
#include <ostream>
#include <string>

namespace legacy_embed {

class Logger {
 public:
  enum Level { kInfo, kWarning, kError };

  static Logger& Get();  // the one of the process, which is never destroyed

  void Write(Level level, const std::string& text);

 private:
  explicit Logger(std::ostream& sink) : sink_(sink) {}

  std::mutex mutex_;
  std::ostream& sink_;  // guarded by mutex_
};

}  // namespace legacy_embed

#endif  // FOXTIVE_EXAMPLES_LEGACY_EMBED_LOGGER_H_
