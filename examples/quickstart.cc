// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The program of the README: one worker that recovers, and one that does not.

#include <iostream>
#include <stdexcept>

#include "foxtive/supervisor.h"

absl::Status FetchPrices(foxtive::TaskContext& context) {
  if (context.attempt() <= 2) return absl::UnavailableError("the exchange does not answer");
  return absl::OkStatus();
}

void BookTrades() { throw std::runtime_error("trade 4711 has no price"); }

int main() {
  foxtive::Supervisor supervisor;
  const auto backoff = foxtive::BackoffStrategy::Exponential(absl::Milliseconds(100));

  const auto prices = supervisor.Submit({.name = "prices", .run = FetchPrices, .backoff = backoff});
  const auto trades = supervisor.Submit({.name = "trades",
                                         .run = BookTrades,
                                         .restart_policy = foxtive::RestartPolicy::MaxAttempts(2),
                                         .backoff = backoff});
  for (const auto& task : {prices, trades}) {
    if (!task.ok()) return 1;
    const foxtive::SupervisionResult result = task->Wait().value();
    std::cout << result.task_name << ": " << result.total_attempts << " attempts, "
              << result.last_error << std::endl;
  }
}
