// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/simulator/preemption.h"

#include <dlfcn.h>
#include <pthread.h>

#include <cstdlib>

#include "lib/testing/simulation.h"

namespace {

using Function = int (*)(pthread_mutex_t*);

constinit thread_local int held = 0;

Function Find(const char* name) {
  auto* const function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  if (function == nullptr) std::abort();
  return function;
}

}  // namespace

int foxtive::test::MutexesHeld() { return held; }

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const Function lock = Find("pthread_mutex_lock");
  const int result = lock(mutex);
  if (result == 0) ++held;
  return result;
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static const Function trylock = Find("pthread_mutex_trylock");
  const int result = trylock(mutex);
  if (result == 0) ++held;
  return result;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  static const Function unlock = Find("pthread_mutex_unlock");
  const int result = unlock(mutex);
  if (--held == 0) foxtive::internal::Simulation::Preempt();
  return result;
}
}
