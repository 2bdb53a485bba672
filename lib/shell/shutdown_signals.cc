// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/shutdown_signals.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <thread>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "lib/shell/engine.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/mutex.h"
#include "lib/shell/thread_setup.h"

namespace foxtive::internal {
namespace {

constexpr int kSignals = 65;  // numbers from 1 to 64

uint64_t BitOf(int signal) { return uint64_t{1} << (signal - 1); }

// All atomics here are sequentially consistent: what a handler has seen is what is reasoned about.
struct Subscription {
  std::atomic<Engine*> engine{nullptr};
  std::atomic<uint64_t> signals{0};  // set before the engine
};

ABSL_CONST_INIT Mutex g_mutex;  // changes of the table
ABSL_CONST_INIT Subscription g_table[kMaxSignalEngines];
ABSL_CONST_INIT std::atomic<int> g_handlers_on_their_way{0};
ABSL_CONST_INIT std::atomic<pid_t> g_process{0};  // whose the table is

// The former action is written while `installed` is false, and read by whoever makes it false.
struct Action {
  std::atomic<bool> installed{false};
  struct sigaction former {};
};
ABSL_CONST_INIT Action g_actions[kSignals];

static_assert(std::atomic<Engine*>::is_always_lock_free);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

void Handle(int signal);

bool IsOurs(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == &Handle;
}

void PutBack(int signal) {
  Action& action = g_actions[signal];
  if (!action.installed.exchange(false)) return;
  struct sigaction current;
  if (sigaction(signal, nullptr, &current) != 0 || !IsOurs(current)) return;
  sigaction(signal, &action.former, nullptr);
}

void Install(int signal) {
  Action& action = g_actions[signal];
  if (action.installed) return;
  struct sigaction wanted {};
  wanted.sa_handler = &Handle;
  wanted.sa_flags = SA_RESTART;
  sigfillset(&wanted.sa_mask);
  struct sigaction former;
  sigaction(signal, nullptr, &former);
  if (!IsOurs(former)) action.former = former;
  action.installed = true;
  sigaction(signal, &wanted, nullptr);
}

// What the signal did before, now. It is blocked while its handler runs, and comes after that. If
// another thread is just putting the former action back it comes here again, until that is done.
void DoAsBefore(int signal) {
  PutBack(signal);
  raise(signal);
}

// Those whose Supervisors have all been cut short: the next one of any of them does what it did
// before.
void PutBackWhatIsOver() {
  for (int signal = 1; signal < kSignals; ++signal) {
    bool wanted = false;
    bool over = true;
    for (const Subscription& subscription : g_table) {
      const Engine* const engine = subscription.engine;
      if (engine == nullptr || (subscription.signals & BitOf(signal)) == 0) continue;
      wanted = true;
      over = over && engine->cut_short();
    }
    if (wanted && over) PutBack(signal);
  }
}

void TellEngines(int signal) {
  bool told = false;
  for (Subscription& subscription : g_table) {
    Engine* const engine = subscription.engine;
    if (engine == nullptr || (subscription.signals & BitOf(signal)) == 0) continue;
    told = true;
    engine->ShutdownBySignal();
  }
  if (!told) return DoAsBefore(signal);
  PutBackWhatIsOver();
}

// InForkChild is true a moment after the fork only, and a signal may come before.
bool InForkChildOrAboutToBe() { return InForkChild() || getpid() != g_process; }

void Handle(int signal) {
  const int saved_errno = errno;
  if (InForkChildOrAboutToBe()) {
    DoAsBefore(signal);
  } else {
    ++g_handlers_on_their_way;
    TellEngines(signal);
    --g_handlers_on_their_way;
  }
  errno = saved_errno;
}

Subscription* FindLocked(Engine* engine) ABSL_EXCLUSIVE_LOCKS_REQUIRED(g_mutex) {
  for (Subscription& subscription : g_table) {
    if (subscription.engine == engine) return &subscription;
  }
  return nullptr;
}

// Until none is left that began before; those that begin from now on see the table as it is now.
void AwaitHandlers() {
  while (g_handlers_on_their_way != 0) std::this_thread::yield();
}

uint64_t AllSignalsLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(g_mutex) {
  uint64_t signals = 0;
  for (Subscription& subscription : g_table) {
    if (subscription.engine != nullptr) signals |= subscription.signals;
  }
  return signals;
}

}  // namespace

absl::Status SubscribeSignals(Engine& engine, const sigset_t& signals) {
  const SignalsBlocked signals_blocked;
  MutexLock lock(g_mutex);
  g_process = getpid();
  Subscription* subscription = FindLocked(&engine);
  if (subscription == nullptr) {
    subscription = FindLocked(nullptr);
    if (subscription == nullptr) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", kMaxSignalEngines, " Supervisors have signals"));
    }
    subscription->signals = 0;
  }
  for (int signal = 1; signal < kSignals; ++signal) {
    if (sigismember(&signals, signal) == 1) subscription->signals |= BitOf(signal);
  }
  subscription->engine = &engine;
  AwaitHandlers();  // one that does not know of this engine might put a former action back
  for (int signal = 1; signal < kSignals; ++signal) {
    if (sigismember(&signals, signal) == 1) Install(signal);
  }
  return absl::OkStatus();
}

void UnsubscribeSignals(Engine& engine) {
  const SignalsBlocked signals_blocked;
  MutexLock lock(g_mutex);
  Subscription* const subscription = FindLocked(&engine);
  if (subscription == nullptr) return;
  const uint64_t its_own = subscription->signals;
  subscription->engine = nullptr;
  const uint64_t others = AllSignalsLocked();
  for (int signal = 1; signal < kSignals; ++signal) {
    if ((its_own & ~others & BitOf(signal)) != 0) PutBack(signal);
  }
  AwaitHandlers();
}

}  // namespace foxtive::internal
