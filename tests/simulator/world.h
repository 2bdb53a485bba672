// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// World: one run of the simulator. A Supervisor, the tasks of a plan, and hosts, which are threads
// of a program that uses it: they submit, stop, wait, look, let go, and at the end shut it down.
// All of it on simulated time, and all that is left open (who goes on, how much time that takes,
// which thread can't be had) drawn from the seed.
//
// What is checked here: that calls answer what they may, that capacity adds up, that whoever can
// run does run, and that nothing is left at the end. What concerns one task is in TaskWatch.

#ifndef FOXTIVE_TESTS_SIMULATOR_WORLD_H_
#define FOXTIVE_TESTS_SIMULATOR_WORLD_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "lib/testing/simulation.h"
#include "tests/simulator/box.h"
#include "tests/simulator/plan.h"
#include "tests/simulator/watch.h"

namespace foxtive::test {

// A thing that happened, for the report of a failure.
struct Step {
  int64_t nanos = 0;
  uint64_t task = 0;
  const char* what = "";
  int64_t number = 0;
};

struct Verdict {
  std::string failure;  // empty: none
  std::vector<std::string> last_steps;
  uint64_t steps = 0;
  uint64_t trace = 0;  // a hash of all that has happened
};

// What differs from the plan of the seed.
struct Changes {
  std::vector<bool> without;  // tasks that are left out, by number
  bool HasTask(uint64_t number) const { return number >= without.size() || !without[number]; }
};

class World {
 public:
  World(const WorldPlan& plan, Changes changes);
  ~World();

  // From the beginning to the end, or to the first failure. Once.
  Verdict Run();

  // --- For watches.
  const WorldPlan& plan() const { return plan_; }
  bool exact() const { return plan_.exact && !plan_.threads_fail; }
  // There is a lane for each task.
  bool uncontended() const { return exact() && plan_.max_concurrency > 2 * plan_.tasks; }
  int64_t Now() const { return simulation_->NowNanos(); }
  // Nothing that a stop leads to waits for a service lane: there are seventeen and more.
  bool has_service_for_all() const { return exact() && plan_.tasks <= 15; }
  bool shuts_down() const { return shuts_down_; }
  // When tasks with that stop_order had been asked to stop for certain.
  int64_t ShutDownAt(int stop_order) const;
  // Whether it could be the turn of one that is asked to stop.
  void CheckTurn(const TaskWatch& asked);
  bool WantsFinishedCall(uint64_t number) const;
  void Fail(const std::string& what);
  void Note(const Step& step);
  void Dwell(absl::Duration duration);
  void SubmitNext();
  Box& BoxOf(uint64_t number) { return boxes_[number % boxes_.size()]; }
  void Give(uint64_t number);
  // Shares the Supervisor, and may be the one that destroys it.
  void OwnSupervisor(absl::Duration duration);
  void RequestShutdown();
  // Who waited for a lane before it is not waiting still.
  void CheckOrder(const TaskWatch& started);
  // Calls that would wait for the worker that makes them.
  void AskForRefusals();

 private:
  class Chaos;
  class Listener;
  static constexpr size_t kTrace = 64;

  void Spawn(std::function<void()> body);
  void Create();
  void Finish();
  void Host(uint64_t number);
  void HostDeed(Random& random);
  void Submit(uint64_t number);
  bool IsUnfinished(const TaskWatch& watch) const;
  void StartAll();
  void WaitForOne(Random& random);
  void WaitForAny(Random& random);
  void WaitForAll(Random& random);
  void ShutdownBegins(absl::Duration timeout);
  void Shutdown(absl::Duration timeout);
  void CheckNamed(const absl::Status& status);
  void CheckReport(const ShutdownReport& report);
  void LookAtTables(Random& random);
  void CheckInTime(const char* call, int64_t deadline);
  void LookAtAll();
  void CheckCapacity();
  void CheckEnd();
  void CountSwitch();
  std::shared_ptr<TaskWatch> AnyWatch(Random& random);
  void HandedOut(const SupervisionResult& result);
  std::vector<std::string> LastSteps() const;

  const WorldPlan plan_;
  const Changes changes_;
  Chaos* chaos_ = nullptr;  // the simulation's
  std::shared_ptr<internal::Simulation> simulation_;
  std::shared_ptr<Listener> listener_;
  std::shared_ptr<Supervisor> supervisor_;
  std::vector<std::shared_ptr<TaskWatch>> watches_;
  std::unordered_map<std::string, TaskWatch*> newest_;  // by name
  std::vector<TaskWatch*> unfinished_;
  struct Submissions {
    int under_way = 0;
    int registering = 0;  // of those, the calls of Register
    int64_t begun = 0;
  };
  std::unordered_map<std::string, Submissions> submissions_;  // by name
  std::unordered_map<std::string, int> handed_out_;           // by name
  std::array<Box, 2> boxes_;
  uint64_t next_task_ = 0;
  int starting_all_ = 0;     // calls that are under way
  bool creating_ = true;     // the Supervisor
  int start_alls_ = 0;       // that have begun
  bool ends_alone_ = false;  // nobody but Finish had the Supervisor
  int hosts_ = 0;            // that have not ended
  bool shuts_down_ = false;
  int64_t shut_down_at_ = INT64_MAX;
  int64_t shuts_down_at_ = INT64_MAX;                     // that began
  absl::Duration least_time_ = absl::InfiniteDuration();  // that anybody has for it
  bool ending_ = false;
  std::string failure_;
  std::array<Step, kTrace> trace_{};  // a ring
  uint64_t notes_ = 0;
  uint64_t steps_ = 0;
  int64_t last_nanos_ = 0;  // when the last step was, and how many there had been then
  uint64_t steps_then_ = 0;
  uint64_t hash_ = 0;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SIMULATOR_WORLD_H_
