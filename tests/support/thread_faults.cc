// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/thread_faults.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>

namespace foxtive::test {
namespace {

std::atomic<int64_t> calls{0};
std::atomic<int64_t> failed{0};
// Of the calls, counted from 1.
std::atomic<int64_t> first_to_fail{kForEver};
std::atomic<int64_t> first_to_work{kForEver};

bool NextFails() {
  const int64_t call = ++calls;
  if (call < first_to_fail || call >= first_to_work) return false;
  ++failed;
  return true;
}

}  // namespace

void FailThreads(int64_t first, int64_t count) {
  GiveThreads();
  const int64_t from = calls + first;
  first_to_work = from + count;
  first_to_fail = from;
}

void GiveThreads() {
  first_to_fail = kForEver;
  first_to_work = kForEver;
}

int64_t FailedThreads() { return failed; }

}  // namespace foxtive::test

extern "C" {

using ThreadFunction = void* (*)(void*);

// A sanitizer whose runtime is part of the program has its own one under this name.
int __interceptor_pthread_create(pthread_t*, const pthread_attr_t*, ThreadFunction, void*)
    __attribute__((weak));

// Found before that of the system by everything in the process.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, ThreadFunction function,
                   void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, ThreadFunction, void*);
  static const auto next = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (foxtive::test::NextFails()) return EAGAIN;
  const Create create =
      __interceptor_pthread_create != nullptr ? &__interceptor_pthread_create : next;
  return create(thread, attributes, function, argument);
}
}
