// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskWatch: one task of a world. It is what the task calls, and it checks, call by call, what a
// task may see: the order of hooks, that none overlaps, that no attempt comes early, and that the
// result is what the verdicts say. It has a model of its own of all that, written down from the
// contract, and shares nothing with the library.

#ifndef FOXTIVE_TESTS_SIMULATOR_WATCH_H_
#define FOXTIVE_TESTS_SIMULATOR_WATCH_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "tests/simulator/box.h"
#include "tests/simulator/plan.h"

namespace foxtive::test {

class World;

class TaskWatch : public std::enable_shared_from_this<TaskWatch> {
 public:
  TaskWatch(World& world, TaskPlan plan, std::string name);

  const TaskPlan& plan() const { return plan_; }
  const std::string& name() const { return name_; }

  // The task, all of whose callables are this watch's.
  TaskSpec MakeSpec();

  // --- What the hosts did to it.
  void Accepted(TaskHandle handle);
  // Or is about to be. `since_before`: it may have happened before.
  void Started(bool since_before = false);
  void RequestStop();

  const TaskHandle& handle() const { return handle_; }
  bool accepted() const { return handle_.valid(); }
  bool started() const { return started_; }
  bool has_result() const { return result_seen_; }
  bool runs() const { return inside_ == Hook::kRun; }
  // Whether its attempt, which hangs, has lost its lane; may have.
  bool has_lost_lane() const;
  bool may_have_lost_lane() const;
  // Whether it came into the queue by a delay or a submit, and not by giving way; and when, as far
  // as that is known.
  bool queues_once() const { return queues_once_; }
  int64_t queued_not_before() const { return not_before_; }
  int64_t queued_not_after() const { return std::max(not_after_, last_end_); }

  // Looks at its state, when nobody is inside of the library.
  void Look();
  // And when nobody can go on: whether it waits for something that is there.
  void LookAtWait() const;
  // When the world is over.
  void CheckEnd();

 private:
  enum class Model : uint8_t { kGoesOn, kEnds };

  void SetHooksBefore(TaskHooks& hooks, const std::shared_ptr<void>& witness);
  void SetHooksAfter(TaskHooks& hooks, const std::shared_ptr<void>& witness);
  absl::Status Run(TaskContext& context);
  void DoDeed(const AttemptPlan& attempt, TaskContext& context);
  void WaitForItself();

  // What an attempt has left with OnStop, until this is destroyed.
  class LeftCallback {
   public:
    LeftCallback(TaskWatch& watch, const TaskContext& context, bool throws);
    ~LeftCallback();
    LeftCallback(const LeftCallback&) = delete;
    LeftCallback& operator=(const LeftCallback&) = delete;

   private:
    struct State;  // outlives it, so that a call that comes later is seen
    TaskWatch& watch_;
    const std::shared_ptr<State> state_;
    std::unique_ptr<StopCallback<std::function<void()>>> callback_;
  };
  void Waits(const AttemptPlan& attempt, TaskContext& context);
  void Sleep(const AttemptPlan& attempt, TaskContext& context);
  void AwaitGift(const AttemptPlan& attempt, TaskContext& context);
  void InPieces(absl::Duration left, const AttemptPlan& attempt, TaskContext& context,
                const std::function<absl::Status(absl::Duration)>& wait);
  void CheckWait(const absl::Status& status, bool stopped, int64_t began,
                 const TaskContext& context);
  void AskForDescriptor(const TaskContext& context) const;
  int64_t StoppedBy() const;
  void CheckStoppedAtOnce(int64_t began) const;
  void CheckTurn() const;
  void Beat(TaskContext& context);
  // Of the attempt that is in `run`: whether it has missed something by now, and whether it can
  // have; `after` that long ago. And since when; before it is due that is when it will be.
  bool HasMissed(int64_t after = 0) const;
  bool MayHaveMissed(int64_t after = 0) const;
  int64_t MissedAt() const;
  int64_t SurelyMissedAt() const;
  int64_t DueAt() const;
  void NoteMissed();
  bool CheckInterruption(const TaskContext& context);
  void CheckStuckFor(const TaskInfo& info) const;
  bool IsError(const absl::Status& error);
  OnStuck on_stuck() const;
  absl::Duration stable_after() const;
  int64_t StopNanos() const;
  void CallHook(Hook hook, int64_t number);
  void MayThrow(const HookPlan& plan);
  void Dwell(absl::Duration duration);

  void Begin(Hook hook, int64_t number);
  void End(Hook hook);
  void CheckBeginning(Hook hook, int64_t number);
  void CheckNewAttempt(Hook hook, int64_t number);
  void CheckOnShutdown();
  void AttemptEnded(Outcome outcome, bool healthy, bool hung);
  void SetupEnded(bool failed, bool threw);
  void NoteEnded(bool in_setup, int64_t began);
  void CheckHistory() const;
  void Judge();
  void SetDelay(TaskPlan::Range range);
  void Finished(const SupervisionResult& result);
  void CheckResult(const SupervisionResult& result);
  bool IsEndOfModel(const SupervisionResult& result) const;
  void Fail(const std::string& what) const;
  void Note(const char* what, int64_t number) const;
  int64_t Now() const;
  // Whether somebody may have asked it to.
  bool stops() const;

  World& world_;
  const TaskPlan plan_;
  const std::string name_;
  TaskHandle handle_;

  bool started_ = false;
  int64_t made_at_ = 0;
  bool stop_answered_ = false;            // a RequestStop said true
  int64_t stop_asked_at_ = 0;             // that one
  int asks_ = 0;                          // calls of RequestStop that are under way
  std::optional<int64_t> stop_deadline_;  // by which it has a result

  int64_t& Calls(Hook hook) { return calls_[static_cast<size_t>(hook)]; }
  int64_t Calls(Hook hook) const { return calls_[static_cast<size_t>(hook)]; }

  struct Wait {
    bool on = false;
    const Box* box = nullptr;  // what it waits for
    int64_t ends = 0;
  };
  Wait wait_;

  int64_t began_ = 0;      // its attempt
  int64_t last_beat_ = 0;  // or its beginning
  // When it missed something before the last beat, at the earliest; and so that it was seen.
  int64_t missed_ = INT64_MAX;
  int64_t surely_missed_ = INT64_MAX;
  bool hung_ = false;        // the last attempt was asked to stop because it hung
  bool maybe_hung_ = false;  // or because the task was: the same moment
  bool may_be_given_up_ = false;

  Hook inside_ = Hook::kNone;
  bool in_on_shutdown_ = false;
  std::array<int64_t, 16> calls_{};  // of each hook
  int64_t runs_ = 0;
  int64_t failures_ = 0;
  bool setup_done_ = false;
  bool failed_ = false;  // the last attempt, or setup
  bool threw_ = false;
  bool permanent_ = false;
  bool setup_failed_ = false;  // and it was setup
  Hook owed_ = Hook::kNone;    // on_error or on_exception is to come
  int64_t announced_ = 0;      // by on_restart
  int64_t ended_at_ = 0;       // the last attempt
  bool queues_once_ = true;
  int64_t not_before_ = 0;
  int64_t not_after_ = 0;    // if a lane is free
  int64_t last_end_ = 0;     // of a call on a lane
  bool delay_owed_ = false;  // a Custom strategy is to be asked
  struct Ended {
    int64_t number;
    bool in_setup;
    bool failed;
    int64_t nanos;
  };
  std::vector<Ended> ended_;  // attempts and setups
  int64_t setup_began_ = 0;
  bool may_have_hung_ = false;  // one of them, or the task was asked to stop in the same moment
  Model model_ = Model::kGoesOn;
  SupervisionStatus model_status_ = SupervisionStatus::kCompletedNormally;
  absl::Status last_error_;
  bool destroyed_ = false;  // its callables
  bool result_seen_ = false;
  int finished_calls_ = 0;
  bool wants_finished_call_ = false;
  SupervisionStatus status_ = SupervisionStatus::kCompletedNormally;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SIMULATOR_WATCH_H_
