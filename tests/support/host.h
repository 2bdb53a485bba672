// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A host program that uses oneTBB itself, beside the library. Compiled without the thread
// sanitizer: Debian's libtbb is not built for it, so what oneTBB's templates hand from thread to
// thread, which are compiled here, would be reported as races.

#ifndef FOXTIVE_TESTS_SUPPORT_HOST_H_
#define FOXTIVE_TESTS_SUPPORT_HOST_H_

#include <cstdint>
#include <memory>

namespace foxtive::test {

// Loops a parallel_for over all cores on a thread of its own, until it is destroyed. Has been
// through the first loop when it is constructed.
class BusyHost {
 public:
  BusyHost();
  ~BusyHost();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Fills an arena of the host with more blocking tasks than there are threads, until it is
// destroyed.
class BlockedHost {
 public:
  explicit BlockedHost(int tasks, bool high_priority = false);
  ~BlockedHost();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A control of the host, lower than what lanes need.
class HostControl {
 public:
  explicit HostControl(int parallelism);
  ~HostControl();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The sum of 0 to n - 1, computed by a parallel_for in an isolated arena of its own.
int64_t ParallelSum(int n);

// oneTBB's max_allowed_parallelism now.
int AllowedParallelism();

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_HOST_H_
