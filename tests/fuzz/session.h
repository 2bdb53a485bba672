// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Session: a program that uses the library, as the bytes say: up to three Supervisors, one after
// the other, their tasks, and calls of the public API, one after the other. What concerns one task
// is checked in Probe; here: that calls answer what the tasks allow, that what is refused changes
// nothing, and that nothing is left at the end.
//
// Everything is on simulated time and one thread. Time passes in an operation that lets it, and in
// calls that wait. The order in which threads go on is the input's too.

#ifndef FOXTIVE_TESTS_FUZZ_SESSION_H_
#define FOXTIVE_TESTS_FUZZ_SESSION_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "lib/testing/simulation.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/probe.h"
#include "tests/fuzz/task_plan.h"

namespace foxtive::test {

class Session final : public Surroundings {
 public:
  explicit Session(Input& input);

  void Run();

  // --- For probes.
  absl::Duration Now() const override {
    return absl::Nanoseconds(simulation_->NowNanos() - internal::Simulation::kStartNanos);
  }
  void Dwell(absl::Duration duration) override {
    simulation_->Sleep(absl::ToInt64Nanoseconds(duration));
  }
  void Do(Deed deed, Probe& probe) override;

 private:
  using Probes = std::vector<std::shared_ptr<Probe>>;

  void Operate();
  void OperateOnSupervisor();
  void OperateOnHandle();
  void Create();
  void Destroy();
  void AddOne();
  void AddSeveral();
  void Add(TaskPlan plan, bool registers, bool as_class);
  void StartAll();
  void Find();
  void LookAtTables();
  void Wait();
  void WaitAny();
  void WaitAll();
  void HandOut(const SupervisionResult& result);
  void AddCallback();
  void LookAtFuture();
  void ShutDown();
  void TellOfShutdown(absl::Duration timeout);
  void AskWhatItMayNot(Probe& probe);
  void LookAround(const Probe& probe);
  void Finish();

  absl::Duration Timeout();
  std::shared_ptr<Probe> NewProbe(TaskPlan plan);
  bool IsInUse(const std::string& name) const;
  Probe& Any() { return *probes_[input_.Below(probes_.size())]; }
  Probes Mine() const;
  template <typename Predicate>
  size_t CountMine(Predicate wanted) const {
    const Probes mine = Mine();
    return static_cast<size_t>(std::count_if(mine.begin(), mine.end(), wanted));
  }
  // One that was stopped before its start is not waited for, but has a result to be handed out.
  static bool IsAwaited(const std::shared_ptr<Probe>& probe) {
    return probe->registered() && !probe->handed_out() && (probe->started() || probe->has_result());
  }

  Input& input_;
  std::shared_ptr<internal::Simulation> simulation_;
  std::unique_ptr<Supervisor> supervisor_;
  int number_ = 0;  // of the Supervisor
  bool shut_down_ = false;
  absl::Duration shutdown_timeout_;
  Probes probes_;  // that were accepted
  int children_ = 0;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_FUZZ_SESSION_H_
