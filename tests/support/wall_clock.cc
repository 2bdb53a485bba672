// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/wall_clock.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdlib>

namespace foxtive::test {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

std::atomic<int64_t> ahead_nanos{0};
std::atomic<int64_t> reads{0};
std::atomic<int64_t> waits_by_wall_clock{0};
std::atomic<int64_t> waits_by_other_clocks{0};

void Count(clockid_t clock) {
  ++(clock == CLOCK_REALTIME ? waits_by_wall_clock : waits_by_other_clocks);
}

// Whether a futex call waits until a point in time, and on which clock.
void CountFutex(int operation, long limit) {
  if (limit == 0) return;
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_LOCK_PI2:
      return Count((operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC);
    case FUTEX_LOCK_PI:
      return Count(CLOCK_REALTIME);
    default:
      return;
  }
}

// A function that the program would have without this file; `interceptor` is that of a sanitizer
// whose runtime is part of the program. It is not looked up in the initialisation of a static
// variable: who finds that under way waits by a system call.
template <typename Result, typename... Arguments>
class Original {
 public:
  using Function = Result (*)(Arguments...);

  constexpr Original(const char* name, Function interceptor)
      : name_(name), function_(interceptor) {}
  Result operator()(Arguments... arguments) {
    Function function = function_;
    if (function == nullptr) {
      function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name_));
      if (function == nullptr) std::abort();
      function_ = function;
    }
    return function(arguments...);
  }

 private:
  const char* const name_;
  std::atomic<Function> function_;
};

}  // namespace

void SetWallClock(absl::Duration ahead) { ahead_nanos = absl::ToInt64Nanoseconds(ahead); }
int64_t WallClockReads() { return reads; }
int64_t WaitsByWallClock() { return waits_by_wall_clock; }
int64_t WaitsByOtherClocks() { return waits_by_other_clocks; }

}  // namespace foxtive::test

using foxtive::test::Count;
using foxtive::test::Original;

extern "C" {

#define FOXTIVE_ORIGINAL(name, ...)                            \
  int __interceptor_##name(__VA_ARGS__) __attribute__((weak)); \
  static constinit Original original_##name(#name, &__interceptor_##name)

FOXTIVE_ORIGINAL(pthread_cond_timedwait, pthread_cond_t*, pthread_mutex_t*, const timespec*);
FOXTIVE_ORIGINAL(pthread_cond_clockwait, pthread_cond_t*, pthread_mutex_t*, clockid_t,
                 const timespec*);
FOXTIVE_ORIGINAL(sem_timedwait, sem_t*, const timespec*);
FOXTIVE_ORIGINAL(sem_clockwait, sem_t*, clockid_t, const timespec*);
FOXTIVE_ORIGINAL(pthread_mutex_timedlock, pthread_mutex_t*, const timespec*);
FOXTIVE_ORIGINAL(pthread_mutex_clocklock, pthread_mutex_t*, clockid_t, const timespec*);
static constinit Original original_syscall(
    "syscall", static_cast<long (*)(long, long, long, long, long, long, long)>(nullptr));

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  using foxtive::test::kNanosPerSecond;
  if (syscall(SYS_clock_gettime, clock, time) != 0) return -1;
  if (clock != CLOCK_REALTIME) return 0;
  ++foxtive::test::reads;
  const int64_t nanos = time->tv_sec * kNanosPerSecond + time->tv_nsec + foxtive::test::ahead_nanos;
  time->tv_sec = nanos / kNanosPerSecond;
  time->tv_nsec = nanos % kNanosPerSecond;
  return 0;
}

// Of a condition variable that says nothing else, as all do that do not use the next function.
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* deadline) {
  Count(CLOCK_REALTIME);
  return original_pthread_cond_timedwait(condition, mutex, deadline);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* deadline) {
  Count(clock);
  return original_pthread_cond_clockwait(condition, mutex, clock, deadline);
}

int sem_timedwait(sem_t* semaphore, const timespec* deadline) {
  Count(CLOCK_REALTIME);
  return original_sem_timedwait(semaphore, deadline);
}

int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* deadline) {
  Count(clock);
  return original_sem_clockwait(semaphore, clock, deadline);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* deadline) noexcept {
  Count(CLOCK_REALTIME);
  return original_pthread_mutex_timedlock(mutex, deadline);
}

int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                            const timespec* deadline) noexcept {
  Count(clock);
  return original_pthread_mutex_clocklock(mutex, clock, deadline);
}

// No system call has more than six arguments.
long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  if (number == SYS_futex) foxtive::test::CountFutex(static_cast<int>(a[1]), a[3]);
  return original_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
}
