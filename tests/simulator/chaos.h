// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the plan of a world leaves open, drawn from the seed while it runs: who goes on, how much
// time that takes, which thread can't be had.

#ifndef FOXTIVE_TESTS_SIMULATOR_CHAOS_H_
#define FOXTIVE_TESTS_SIMULATOR_CHAOS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "lib/testing/simulation.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/plan.h"
#include "tests/simulator/world.h"

namespace foxtive::test {

class World::Chaos final : public internal::Simulation::Chooser {
 public:
  explicit Chaos(World& world)
      : world_(world),
        plan_(world.plan()),
        random_(plan_.seed, 0, 8),
        in_order_(random_.OneIn(4)) {}

  size_t Next(size_t count) override {
    world_.CountSwitch();
    return in_order_ ? 0 : random_.Below(count);
  }
  bool Preempts() override { return !plan_.exact && !held && random_.OneIn(4); }
  int64_t Pause() override {
    if (plan_.exact || held || !random_.OneIn(16)) return 0;
    return random_.Between(1, random_.OneIn(50) ? 20'000'000 : 20'000);
  }
  bool HasThread() override { return spawns_host || !HasFaults() || !random_.OneIn(3); }
  int64_t LaneDelay() override {
    return HasFaults() && random_.OneIn(3) ? random_.Between(0, 3'000'000'000) : 0;
  }
  bool IsLimited() override { return HasFaults() && random_.OneIn(3); }
  bool PassesUnpark() override { return !Planted(Fault::kUnparkLost) || !random_.OneIn(50); }
  std::shared_ptr<internal::Executor> Adorn(std::shared_ptr<internal::Executor> executor) override {
    return WithFaults(std::move(executor));
  }

  bool held = false;
  bool spawns_host = false;

 private:
  bool HasFaults() const { return plan_.threads_fail && !world_.ending_; }

  World& world_;
  const WorldPlan& plan_;
  Random random_;
  const bool in_order_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SIMULATOR_CHAOS_H_
