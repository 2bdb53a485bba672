// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// StopSignals: SIGINT and SIGTERM as calls of a function, on a thread that waits for them; so the
// function may do what a signal handler may not.
//
// Lifetime: made before any other thread, because these inherit that the two signals are blocked.

#ifndef FOXTIVE_EXAMPLES_KAFKA_STOP_SIGNALS_H_
#define FOXTIVE_EXAMPLES_KAFKA_STOP_SIGNALS_H_

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>
#include <utility>

namespace kafka_consumer {

class StopSignals {
 public:
  explicit StopSignals(std::function<void(int signal)> on_signal)
      : on_signal_(std::move(on_signal)) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this] { Listen(); });
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  ~StopSignals() {
    over_ = true;
    pthread_kill(thread_.native_handle(), SIGTERM);  // to that thread alone
    thread_.join();
  }

 private:
  void Listen() {
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && !over_) on_signal_(signal);
  }

  const std::function<void(int signal)> on_signal_;
  sigset_t signals_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace kafka_consumer

#endif  // FOXTIVE_EXAMPLES_KAFKA_STOP_SIGNALS_H_
