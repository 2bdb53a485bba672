// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Explorer: runs a small scenario in all orders of its threads, on the real code.
//
// The threads of a Simulation are scheduled in a fixed order, first come first served; from that
// the explorer deviates, at most `bound` times in a run, in all ways that there are: another thread
// goes on, or one is left where it lets go of its last mutex or wakes another. So with bound 2
// every bug is found that needs no more than two such moments, wherever they are. That is delay
// bounding: M. Emmi, S. Qadeer, Z. Rakamaric, "Delay-bounded scheduling", POPL 2011; the search
// without stored states is that of P. Godefroid, VeriSoft, POPL 1997.
//
// What it does not see: the order of single atomic operations between two such points, and what a
// processor or a compiler reorders. That is for the thread sanitizer.

#ifndef FOXTIVE_TESTS_EXPLORER_EXPLORER_H_
#define FOXTIVE_TESTS_EXPLORER_EXPLORER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "lib/testing/simulation.h"

namespace foxtive::test {

// One run: what a scenario is given.
class Run {
 public:
  Run(std::shared_ptr<internal::Simulation> simulation, std::string& failure)
      : simulation_(std::move(simulation)), failure_(failure) {}

  // With this clock, no listener, and a stop_timeout of a minute.
  std::unique_ptr<Supervisor> MakeSupervisor(int max_concurrency);
  // A thread that runs beside the one that calls, which has to join it.
  std::unique_ptr<internal::System::Thread> Spawn(std::function<void()> body);
  // Waits, whatever happens.
  void Dwell(absl::Duration duration);
  absl::Duration Now() const;
  void Check(bool holds, const char* what);

 private:
  const std::shared_ptr<internal::Simulation> simulation_;
  std::string& failure_;
};

struct Scenario {
  const char* name;
  std::function<void(Run& run)> body;  // on a thread of its own
};

struct Exploration {
  uint64_t runs = 0;
  uint64_t points = 0;          // at which there was a choice, in all runs
  std::string failure;          // empty: none
  std::vector<size_t> choices;  // of the run that failed
};

Exploration Explore(const Scenario& scenario, int bound);

std::vector<Scenario> AllScenarios();

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_EXPLORER_EXPLORER_H_
