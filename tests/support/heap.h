// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The heap of this process, for tests that nothing is left on it.

#ifndef FOXTIVE_TESTS_SUPPORT_HEAP_H_
#define FOXTIVE_TESTS_SUPPORT_HEAP_H_

#include <malloc.h>

#include <cstdint>

namespace foxtive::test {

// With a sanitizer neither the heap nor what it takes from the system is that of the program; its
// own search for leaks is.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHeapIsOurs = false;
#elif defined(__has_feature)
inline constexpr bool kHeapIsOurs =
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
inline constexpr bool kHeapIsOurs = true;
#endif

// What is allocated, by all threads.
inline int64_t LiveBytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<int64_t>(heap.uordblks + heap.hblkhd);
}

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_HEAP_H_
