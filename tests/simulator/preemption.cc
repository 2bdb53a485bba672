// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/simulator/preemption.h"

#include <dlfcn.h>
#include <pthread.h>

#include <cstdlib>

#include "lib/shell/mutex.h"
#include "lib/testing/simulation.h"

namespace {

using Function = int (*)(pthread_mutex_t*);

constinit thread_local int held = 0;

Function Find(const char* name) {
  auto* const function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  if (function == nullptr) std::abort();
  return function;
}

void Held() { ++held; }

void LetGo() {
  if (--held == 0) foxtive::internal::Simulation::Preempt();
}

}  // namespace

int foxtive::test::MutexesHeld() { return held; }

extern "C" {

void __real__ZN7foxtive8internal5Mutex4LockEv(foxtive::internal::Mutex* mutex);
void __real__ZN7foxtive8internal5Mutex6UnlockEv(foxtive::internal::Mutex* mutex);

void __wrap__ZN7foxtive8internal5Mutex4LockEv(foxtive::internal::Mutex* mutex) {
  __real__ZN7foxtive8internal5Mutex4LockEv(mutex);
  Held();
}

void __wrap__ZN7foxtive8internal5Mutex6UnlockEv(foxtive::internal::Mutex* mutex) {
  __real__ZN7foxtive8internal5Mutex6UnlockEv(mutex);
  LetGo();
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const Function lock = Find("pthread_mutex_lock");
  const int result = lock(mutex);
  if (result == 0) Held();
  return result;
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static const Function trylock = Find("pthread_mutex_trylock");
  const int result = trylock(mutex);
  if (result == 0) Held();
  return result;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  static const Function unlock = Find("pthread_mutex_unlock");
  const int result = unlock(mutex);
  LetGo();
  return result;
}
}
