// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// FarEnd: plays the device at the other end of a line, and misbehaves by a script.
//
// Thread safety: any thread, but `Answer` is for one at a time.

#ifndef FOXTIVE_EXAMPLES_LEGACY_EMBED_FAR_END_H_
#define FOXTIVE_EXAMPLES_LEGACY_EMBED_FAR_END_H_

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace legacy_embed {

class FarEnd {
 public:
  enum Then { kIsSilent, kHangsUp, kBreaks, kRefuses };

  struct Call {
    std::string says;
    Then then;
  };
  using Script = std::vector<Call>;

  // What happens call by call; the last one for ever.
  explicit FarEnd(Script script) : script_(std::move(script)) {}
  ~FarEnd() { HangUp(); }

  // The near end of a new connection. Throws if there is none.
  int Answer() {
    const Call& call = script_[std::min(calls_++, script_.size() - 1)];
    if (call.then == kRefuses) Throw(ECONNREFUSED);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) Throw(errno);
    send(ends[1], call.says.data(), call.says.size(), 0);
    if (call.then == kBreaks) send(ends[0], "?", 1, 0);  // left unread, it makes a close a reset
    HangUp();
    end_ = ends[1];
    if (call.then != kIsSilent) HangUp();
    return ends[0];
  }

  void HangUp() {
    const int end = end_.exchange(-1);
    if (end >= 0) close(end);
  }

  size_t calls() const { return calls_; }

 private:
  [[noreturn]] static void Throw(int error) {
    throw std::system_error(error, std::generic_category(), "connect");
  }

  const Script script_;
  std::atomic<size_t> calls_ = 0;
  std::atomic<int> end_ = -1;
};

}  // namespace legacy_embed

#endif  // FOXTIVE_EXAMPLES_LEGACY_EMBED_FAR_END_H_
