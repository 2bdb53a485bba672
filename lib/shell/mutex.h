// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// std::mutex with the annotations of clang's thread-safety analysis.
//
// Not absl::Mutex: a distribution's build of it hides its hand-offs from the thread sanitizer.

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
  // Tells the analysis what it can't see, in a function that is called under the lock.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

 private:
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_MUTEX_H_
