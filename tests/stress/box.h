// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Box: what one attempt of the stress test waits for, by a descriptor or on a condition variable.
// Anybody puts something in, by Boxes; the attempt alone takes it out, so it knows what is there.

#ifndef FOXTIVE_TESTS_STRESS_BOX_H_
#define FOXTIVE_TESTS_STRESS_BOX_H_

#include <condition_variable>
#include <mutex>
#include <vector>

#include "tests/support/random.h"

namespace foxtive::test {

class Box;

// Those that are waited for. Thread safety: any thread.
class Boxes {
 public:
  // To one of them, if there is one.
  void Give(Random& random);

 private:
  friend class Box;

  std::mutex mutex_;
  std::vector<Box*> all_;  // guarded by mutex_
};

// Lifetime: shorter than that of `boxes`. Errors: no descriptor ends the program.
class Box {
 public:
  explicit Box(Boxes& boxes);
  ~Box();
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  // Becomes readable.
  int descriptor() const { return descriptor_; }
  // Takes what is there for whoever waits for the descriptor. False: nothing.
  bool TakeFromDescriptor() const;

  std::mutex mutex;
  std::condition_variable_any changed;
  bool full = false;  // guarded by mutex

 private:
  friend class Boxes;
  void Put();

  Boxes& boxes_;
  const int descriptor_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_STRESS_BOX_H_
