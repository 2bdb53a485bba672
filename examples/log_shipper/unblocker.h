// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Unblocker: lets `on_shutdown` end a `recv` or `send` that blocks on another thread.
//
// It knows the worker's socket while the worker has one, and shuts it down under its lock. So it
// never touches a descriptor that the worker has closed, which by then may belong to somebody else.
//
// Thread safety: `ShutDown` may be called from any thread; one Scope exists at a time.

#ifndef FOXTIVE_EXAMPLES_LOG_SHIPPER_UNBLOCKER_H_
#define FOXTIVE_EXAMPLES_LOG_SHIPPER_UNBLOCKER_H_

#include <sys/socket.h>

#include <mutex>

#include "examples/log_shipper/socket.h"

namespace log_shipper {

class Unblocker {
 public:
  // Stands for the time during which `socket` can be shut down; it must end before `socket` does.
  class Scope {
   public:
    Scope(Unblocker& unblocker, const Socket& socket) : unblocker_(unblocker) {
      unblocker_.Set(socket.descriptor());
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { unblocker_.Set(kNone); }

   private:
    Unblocker& unblocker_;
  };

  // Every call that blocks on the connection returns, and later ones fail. A socket that is not
  // connected yet is not changed: after connecting, the worker asks whether it is to stop.
  void ShutDown() {
    std::lock_guard lock(mutex_);
    if (descriptor_ != kNone) ::shutdown(descriptor_, SHUT_RDWR);
  }

 private:
  static constexpr int kNone = -1;

  void Set(int descriptor) {
    std::lock_guard lock(mutex_);
    descriptor_ = descriptor;
  }

  std::mutex mutex_;
  int descriptor_ = kNone;  // guarded by mutex_
};

}  // namespace log_shipper

#endif  // FOXTIVE_EXAMPLES_LOG_SHIPPER_UNBLOCKER_H_
