// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// std::mutex with the annotations of clang's thread-safety analysis.
//
// Not absl::Mutex: its timed waits follow the wall clock, and a distribution's build of it hides
// its hand-offs from the thread sanitizer.

#ifndef FOXTIVE_LIB_SHELL_MUTEX_H_
#define FOXTIVE_LIB_SHELL_MUTEX_H_

#include <mutex>

#include "absl/base/thread_annotations.h"

namespace foxtive::internal {

class ABSL_LOCKABLE Mutex {
 public:
  constexpr Mutex() = default;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() = default;

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // For waiting on a condition variable, which gives the lock up meanwhile.
  std::unique_lock<std::mutex>& native() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_MUTEX_H_
