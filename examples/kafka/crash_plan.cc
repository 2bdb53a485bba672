// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "examples/kafka/crash_plan.h"

#include <algorithm>
#include <random>
#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace kafka_consumer {

CrashPlan::CrashPlan(uint64_t seed, uint64_t topic, int64_t messages, int64_t crashes) {
  std::seed_seq seeds{seed, topic};
  std::mt19937_64 random(seeds);
  for (int64_t i = 0; i < std::min(crashes, messages);) {
    // No distribution of the standard library, which leaves open what they give.
    const auto number = static_cast<int64_t>(random() % static_cast<uint64_t>(messages));
    const Planned planned{i % 2 == 0 ? Moment::kAfterWork : Moment::kBeforeWork,
                          i % 3 == 0 ? 2 : 1};
    if (plan_.emplace(number, planned).second) ++i;
  }
}

void CrashPlan::Crash(int64_t number, Moment moment) {
  const auto planned = plan_.find(number);
  if (planned == plan_.end() || planned->second.moment != moment) return;
  if (--planned->second.times == 0) plan_.erase(planned);
  throw std::runtime_error(
      moment == Moment::kBeforeWork
          ? absl::StrCat("message ", number, ": \"no connection to the store\"")
          : absl::StrCat("message ", number, ": stored, then out of luck"));
}

}  // namespace kafka_consumer
