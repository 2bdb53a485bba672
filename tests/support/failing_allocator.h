// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A heap that is used up when it is told to be: replaces the global operator new of the test, of
// the library and of what both use. Not of oneTBB, whose memory does not come from there, nor
// malloc.
//
// Thread safety: any thread. Blocking: none. Errors: std::bad_alloc, from the allocations that are
// to fail.

#ifndef FOXTIVE_TESTS_SUPPORT_FAILING_ALLOCATOR_H_
#define FOXTIVE_TESTS_SUPPORT_FAILING_ALLOCATOR_H_

#include <cstdint>

namespace foxtive::test {

enum class Allocations { kOff, kCount, kFail };

// Counts those of all threads from now on, or lets all of them fail.
void SetAllocations(Allocations mode);
// No more of that. How many there were.
int64_t EndAllocations();

// From now on the nth allocation of this thread fails; of all the other threads together, the nth
// and those after it, `count` in all.
void FailAllocationHere(int64_t nth);
void FailAllocationsElsewhere(int64_t nth, int64_t count);

// No more of that. Whether it has come to it.
bool EndFailureHere();
bool EndFailuresElsewhere();
bool HasFailedElsewhere();

// Whether this thread counts as elsewhere, as long as this lives; afterwards it is as before.
class Elsewhere {
 public:
  explicit Elsewhere(bool is);
  ~Elsewhere();
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

 private:
  const bool was_spared_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_FAILING_ALLOCATOR_H_
