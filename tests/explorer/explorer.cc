// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/explorer/explorer.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulator/preemption.h"

namespace foxtive::test {
namespace {

using internal::Simulation;

constexpr absl::Duration kAtMost = absl::Hours(24);  // of simulated time: then it hangs
constexpr uint64_t kMaxSwitches = 100'000;           // then nobody gets on

// The choices of the runs, in order: a path through the tree of all of them.
class Path {
 public:
  explicit Path(int bound) : bound_(bound) {}

  void Begin() {
    depth_ = 0;
    deviations_ = 0;
  }

  size_t Choose(size_t options) {
    if (options == 1 || deviations_ == bound_) return 0;
    if (depth_ == points_.size()) points_.push_back({options, 0});
    const size_t chosen = points_[depth_++].chosen;
    if (chosen > 0) ++deviations_;
    return chosen;
  }

  // To the next leaf. False: there is none.
  bool Advance() {
    points_.resize(depth_);
    while (!points_.empty() && points_.back().chosen + 1 == points_.back().options) {
      points_.pop_back();
    }
    if (points_.empty()) return false;
    ++points_.back().chosen;
    return true;
  }

  size_t depth() const { return depth_; }
  std::vector<size_t> Choices() const {
    std::vector<size_t> choices;
    for (size_t i = 0; i < depth_; ++i) choices.push_back(points_[i].chosen);
    return choices;
  }

 private:
  struct Point {
    size_t options;
    size_t chosen;
  };

  const int bound_;
  std::vector<Point> points_;
  size_t depth_ = 0;
  int deviations_ = 0;
};

class Choices final : public Simulation::Chooser {
 public:
  Choices(Path& path, std::string& failure) : path_(path), failure_(failure) {}

  size_t Next(size_t count) override {
    if (++switches_ == kMaxSwitches) {
      failure_ = "threads wake each other, and none gets on";
      simulation->Interrupt();
    }
    return path_.Choose(count);
  }
  bool Preempts() override { return path_.Choose(2) == 1; }
  bool PassesUnpark() override {
    if (MutexesHeld() == 0) Simulation::Preempt();
    return true;
  }

  Simulation* simulation = nullptr;

 private:
  Path& path_;
  std::string& failure_;
  uint64_t switches_ = 0;
};

std::string RunOnce(const Scenario& scenario, Path& path) {
  path.Begin();
  std::string failure;
  bool over = false;
  auto choices = std::make_unique<Choices>(path, failure);
  Choices* const chooser = choices.get();
  const auto simulation = std::make_shared<Simulation>(std::move(choices));
  chooser->simulation = simulation.get();
  Run run(simulation, failure);  // also for workers that outlive the scenario
  simulation->Spawn([&] {
    scenario.body(run);
    over = true;
  });
  const int64_t end = simulation->NowNanos() + absl::ToInt64Nanoseconds(kAtMost);
  while (failure.empty() && simulation->NowNanos() < end && simulation->threads() > 0) {
    simulation->AdvanceTo(simulation->NowNanos() + absl::ToInt64Nanoseconds(absl::Hours(1)));
  }
  if (failure.empty() && !over) failure = "it does not end";
  if (failure.empty() && simulation->threads() > 0) {
    failure = absl::StrCat(simulation->threads(), " threads do not end");
  }
  return failure;
}

}  // namespace

std::unique_ptr<Supervisor> Run::MakeSupervisor(int max_concurrency) {
  return *Supervisor::Create({.max_concurrency = max_concurrency,
                              .shutdown_timeout = absl::Minutes(1),
                              .listener = nullptr,
                              .clock = simulation_,
                              .seed = 1});
}

std::unique_ptr<internal::System::Thread> Run::Spawn(std::function<void()> body) {
  return simulation_->Spawn(std::move(body));
}

void Run::Dwell(absl::Duration duration) { simulation_->Sleep(absl::ToInt64Nanoseconds(duration)); }

absl::Duration Run::Now() const {
  return absl::Nanoseconds(simulation_->NowNanos() - Simulation::kStartNanos);
}

void Run::Check(bool holds, const char* what) {
  if (holds || !failure_.empty()) return;
  failure_ = what;
  simulation_->Interrupt();
}

Exploration Explore(const Scenario& scenario, int bound) {
  Exploration exploration;
  Path path(bound);
  do {
    exploration.failure = RunOnce(scenario, path);
    ++exploration.runs;
    exploration.points += path.depth();
  } while (exploration.failure.empty() && path.Advance());
  exploration.choices = path.Choices();
  return exploration;
}

}  // namespace foxtive::test
