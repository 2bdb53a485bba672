// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/thread_setup.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <atomic>
#include <csignal>
#include <cstddef>

#include "lib/shell/signal_wait.h"

namespace foxtive::internal {
namespace {

std::atomic<int> g_let_through{0};

sigset_t AllButFaults() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : kFaultSignals) sigdelset(&signals, fault);
  return signals;
}

// Mostly made once: lanes block them again for each task.
sigset_t AsynchronousSignals() {
  static const sigset_t all = AllButFaults();
  sigset_t signals = all;
  if (const int signal = g_let_through; signal != 0) sigdelset(&signals, signal);
  return signals;
}

constexpr size_t kMaxContinuation = 3;  // bytes of a character after its first

bool ContinuesCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

bool BlocksSignals() {
  constexpr int kNamedSignals = 31;
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  sigaddset(&blocked, SIGKILL);  // nobody can block these two
  sigaddset(&blocked, SIGSTOP);
  for (const int fault : kFaultSignals) sigaddset(&blocked, fault);
  if (const int signal = g_let_through; signal != 0) sigaddset(&blocked, signal);
  for (int signal = 1; signal <= kNamedSignals; ++signal) {
    if (sigismember(&blocked, signal) != 1) return false;
  }
  return true;
}

void LetSignalThrough(int signal) { g_let_through = signal; }

int SignalLetThrough() { return g_let_through; }

SignalsBlocked::SignalsBlocked() {
  const sigset_t blocked = AsynchronousSignals();
  pthread_sigmask(SIG_SETMASK, &blocked, &former_);
}

void SignalsBlocked::Renew() {
  const sigset_t blocked = AsynchronousSignals();
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
}

void SignalsBlocked::DropBrokenPipe() {
  if (sigismember(&former_, SIGPIPE) == 1) return;
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  TakeSignal(broken_pipe, /*deadline_nanos=*/0);
}

SignalsBlocked::~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &former_, nullptr); }

ThreadName CutThreadName(std::string_view name) {
  ThreadName cut{};
  size_t length = name.size();
  if (length >= cut.size()) {
    length = cut.size() - 1;
    size_t start = length;  // of the character that is cut
    while (start > length - kMaxContinuation && ContinuesCharacter(name[start])) --start;
    if (!ContinuesCharacter(name[start])) length = start;  // else it is not UTF-8
  }
  name.copy(cut.data(), length);
  return cut;
}

void NameThread(std::string_view name) {
  pthread_setname_np(pthread_self(), CutThreadName(name).data());
}

void MinimizeTimerSlack() { prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); }

}  // namespace foxtive::internal
