// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
//   bazel run -c opt //tests:explorer -- [--bound=N]
//
// All scenarios in all orders with at most N deviations, 1 by default. Prints how many those are.
// Exit status 0: all properties hold in all of them.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/explorer/explorer.h"

int main(int argc, char** argv) {
  constexpr char kBound[] = "--bound=";
  int bound = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], kBound, std::strlen(kBound)) != 0) {
      std::fprintf(stderr, "usage: explorer [--bound=N]\n");
      return 2;
    }
    bound = std::atoi(argv[i] + std::strlen(kBound));
  }
  bool failed = false;
  for (const foxtive::test::Scenario& scenario : foxtive::test::AllScenarios()) {
    const foxtive::test::Exploration exploration = foxtive::test::Explore(scenario, bound);
    std::printf("%s: %lu orders, %lu choices%s%s\n", scenario.name, exploration.runs,
                exploration.points,
                exploration.failure.empty() ? "" : ": FAILED: ", exploration.failure.c_str());
    std::fflush(stdout);
    if (exploration.failure.empty()) continue;
    failed = true;
    std::printf("  the choices:");
    for (const size_t choice : exploration.choices) std::printf(" %zu", choice);
    std::printf("\n");
  }
  return failed ? 1 : 0;
}
