// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The hand-overs between callers, monitor, lanes and service lanes, each as small as it can be. All
// end: that nothing hangs is a property of each of them.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/explorer/explorer.h"

namespace foxtive::test {
namespace {

// Inside of an attempt, and how often there was one.
struct Counted {
  int runs = 0;
  int inside = 0;
  bool asked_to_stop = false;  // or about to be

  // Around the code of an attempt.
  template <typename Body>
  auto Wrap(Run& run, Body body) {
    return [this, &run, body](TaskContext& context) {
      ++runs;
      run.Check(++inside == 1, "two attempts at once");
      absl::Status status = body(context);
      --inside;
      return status;
    };
  }
};

bool IsStopped(const SupervisionResult& result) {
  return result.final_status == SupervisionStatus::kManuallyStopped ||
         result.final_status == SupervisionStatus::kAbandoned;
}

void StopAgainstEnd(Run& run) {
  Counted task;
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle handle =
      *supervisor->Submit("a", task.Wrap(run, [](TaskContext&) { return absl::OkStatus(); }));
  bool first = false;
  bool second = false;
  auto other = run.Spawn([&] { first = handle.RequestStop(); });
  second = handle.RequestStop();
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  other->Join();
  run.Check(!(first && second), "RequestStop said true twice");
  run.Check(IsStopped(*result) == (first || second), "the result is not what RequestStop said");
  run.Check(task.runs <= 1, "it ran twice");
}

void StopAgainstRestart(Run& run) {
  Counted task;
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle handle = *supervisor->Submit(
      {.name = "a",
       .run = task.Wrap(run, [](TaskContext&) { return absl::DataLossError(""); }),
       .restart_policy = RestartPolicy::MaxAttempts(2),
       .backoff = BackoffStrategy::Constant(absl::Milliseconds(1))});
  bool stopped = false;
  auto other = run.Spawn([&] {
    run.Dwell(absl::Milliseconds(1));
    stopped = handle.RequestStop();
  });
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  other->Join();
  run.Check(IsStopped(*result) == stopped, "the result is not what RequestStop said");
  run.Check(task.runs <= 2, "it ran for the third time");
  run.Check(stopped || task.runs == 2, "it ended too early");
}

void TwoJobsAtOnce(Run& run) {
  auto supervisor = run.MakeSupervisor(2);
  const auto sleep = [](TaskContext& context) { context.SleepFor(absl::Seconds(1)); };
  const TaskHandle a = *supervisor->Submit("a", sleep);
  const TaskHandle b = *supervisor->Submit("b", sleep);
  run.Check(a.Wait().ok() && b.Wait().ok(), "there is no result");
  run.Check(run.Now() == absl::Seconds(1), "one has waited for the lane of the other");
}

void PushAgainstRest(Run& run) {
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle a = *supervisor->Submit("a", [] {});
  run.Check(a.Wait().ok(), "there is no result");
  const TaskHandle b = *supervisor->Submit("b", [] {});
  run.Check(b.Wait().ok(), "there is no result");
  run.Check(run.Now() == absl::ZeroDuration(), "something was found by chance");
}

void Abandonment(Run& run) {
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle deaf =
      *supervisor->Submit({.name = "deaf",
                           .run = [&run](TaskContext&) { run.Dwell(absl::Seconds(10)); },
                           .stop_timeout = absl::Seconds(1)});
  const TaskHandle next = *supervisor->Submit("next", [] {});
  run.Dwell(absl::Milliseconds(1));
  run.Check(deaf.RequestStop(), "RequestStop said false");
  run.Check(next.Wait().ok(), "there is no result");
  run.Check(run.Now() == absl::Milliseconds(1) + absl::Seconds(1), "its lane was not replaced");
  run.Check(deaf.Wait()->final_status == SupervisionStatus::kAbandoned, "it is not abandoned");
  // Two lanes are there for a moment when it returns, and one has to be left.
  run.Dwell(absl::Seconds(9) - absl::Milliseconds(1));
  const TaskHandle last = *supervisor->Submit("last", [] {});
  run.Check(last.Wait(absl::Seconds(1)).ok(), "no lane is left");
  run.Dwell(absl::Milliseconds(1));
  run.Check(deaf.state() == TaskState::kFinished, "it has not been seen to return");
}

void AbandonAgainstReturn(Run& run) {
  Counted task;
  int cleanups = 0;
  auto supervisor = run.MakeSupervisor(1);
  TaskSpec spec{.name = "a",
                .run = task.Wrap(run,
                                 [&run](TaskContext&) {
                                   run.Dwell(absl::Seconds(1));
                                   return absl::OkStatus();
                                 }),
                .stop_timeout = absl::Seconds(1)};
  spec.hooks.cleanup = [&cleanups] { ++cleanups; };
  const TaskHandle handle = *supervisor->Submit(std::move(spec));
  run.Check(handle.RequestStop(), "RequestStop said false");
  run.Check(IsStopped(*handle.Wait()), "it was not stopped");
  supervisor = nullptr;
  run.Dwell(absl::Seconds(2));
  run.Check(cleanups == task.runs, "cleanup was not called once");
  run.Check(handle.state() == TaskState::kFinished, "it is not finished");
}

void StopInTheQueue(Run& run) {
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle first = *supervisor->Submit(
      "first", [](TaskContext& context) { context.SleepFor(absl::Milliseconds(1)); });
  Counted task;
  const TaskHandle second =
      *supervisor->Submit("second", task.Wrap(run, [](TaskContext&) { return absl::OkStatus(); }));
  bool stopped = false;
  auto other = run.Spawn([&] {
    run.Dwell(absl::Milliseconds(1));
    stopped = second.RequestStop();
  });
  const absl::StatusOr<SupervisionResult> result = second.Wait();
  other->Join();
  run.Check(IsStopped(*result) == stopped, "the result is not what RequestStop said");
  run.Check(result->total_attempts == task.runs, "the attempts are counted wrongly");
  run.Check(first.Wait().ok(), "there is no result");
}

void SubmitAgainstShutdown(Run& run) {
  auto supervisor = run.MakeSupervisor(1);
  absl::StatusOr<TaskHandle> handle;
  auto other = run.Spawn([&] {
    handle = supervisor->Submit(
        "a", [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
  });
  run.Check(supervisor->Shutdown(absl::Seconds(1)).ok(), "a worker has not returned");
  other->Join();
  if (handle.ok()) {
    run.Check(handle->TryResult().has_value(), "Shutdown has returned, and there is no result");
  } else {
    run.Check(handle.status().code() == absl::StatusCode::kFailedPrecondition, "wrong error");
  }
}

void TwoShutdowns(Run& run) {
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle handle =
      *supervisor->Submit("deaf", [&run](TaskContext&) { run.Dwell(absl::Seconds(5)); });
  run.Dwell(absl::Milliseconds(1));
  const absl::Duration begin = run.Now();
  auto other = run.Spawn([&] {
    run.Check(!supervisor->Shutdown(absl::Seconds(2)).ok(), "the worker has returned");
    run.Check(run.Now() <= begin + absl::Seconds(2), "the second Shutdown is late");
  });
  run.Check(!supervisor->Shutdown(absl::Seconds(1)).ok(), "the worker has returned");
  run.Check(run.Now() <= begin + absl::Seconds(1), "the first Shutdown is late");
  other->Join();
  run.Check(handle.TryResult()->final_status == SupervisionStatus::kAbandoned, "not abandoned");
}

void LastOwner(Run& run) {
  auto owner = std::make_shared<std::unique_ptr<Supervisor>>(run.MakeSupervisor(1));
  const TaskHandle handle = *(*owner)->Submit("a", [owner] { owner->reset(); });
  owner = nullptr;
  handle.RequestStop();
  run.Check(handle.Wait(absl::Hours(1)).ok(), "there is no result");
}

void OneCallForEachCallback(Run& run) {
  auto supervisor = run.MakeSupervisor(1);
  int calls = 0;
  const TaskHandle handle = *supervisor->Submit("a", [] {});
  auto other = run.Spawn([&] {
    run.Check(handle.OnFinished([&](const SupervisionResult&) { ++calls; }).ok(), "refused");
  });
  run.Check(handle.Wait().ok(), "there is no result");
  other->Join();
  supervisor = nullptr;
  run.Check(calls == 1, "a callback was not called once");
}

void EachResultOnce(Run& run) {
  auto supervisor = run.MakeSupervisor(2);
  const TaskHandle a = *supervisor->Register("a", [] {});
  const TaskHandle b = *supervisor->Register("b", [] {});
  run.Check(supervisor->StartAll().ok(), "StartAll");
  int results = 0;
  const auto wait = [&] {
    while (supervisor->WaitAny().ok()) ++results;
  };
  auto other = run.Spawn(wait);
  wait();
  other->Join();
  run.Check(results == 2, "two results were not handed out once");
}

// A task whose first attempt does what it is given, for about as long as it may go without a
// heartbeat, and whose second one succeeds.
TaskSpec Hanging(Run& run, Counted& task, OnStuck on_stuck,
                 std::function<void(TaskContext&)> first_attempt) {
  TaskSpec spec{.name = "a",
                .run = task.Wrap(run,
                                 [&run, &task, first_attempt](TaskContext& context) {
                                   run.Check(task.asked_to_stop || !context.stop_requested(),
                                             "it begins stopped");
                                   if (context.attempt() == 1) first_attempt(context);
                                   return absl::OkStatus();
                                 }),
                .restart_policy = RestartPolicy::MaxAttempts(2),
                .backoff = BackoffStrategy::Constant(absl::ZeroDuration())};
  spec.heartbeat_timeout = absl::Seconds(1);
  spec.on_stuck = on_stuck;
  spec.stop_timeout = absl::Seconds(1);
  return spec;
}

void HangAgainstReturn(Run& run) {
  Counted task;
  int calls = 0;
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle handle =
      *supervisor->Submit(Hanging(run, task, OnStuck::kRestart, [&calls](TaskContext& context) {
        const auto on_stop = context.OnStop([&calls] { ++calls; });
        context.SleepFor(absl::Seconds(1));
      }));
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  run.Check(result->final_status == SupervisionStatus::kCompletedNormally, "it did not succeed");
  run.Check(result->total_attempts == task.runs && task.runs <= 2, "the attempts are wrong");
  run.Check(calls < task.runs, "a callback of an attempt that was not stopped");
}

void StopAgainstHang(Run& run) {
  Counted task;
  int calls = 0;
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle handle =
      *supervisor->Submit(Hanging(run, task, OnStuck::kRestart, [&calls](TaskContext& context) {
        const auto on_stop = context.OnStop([&calls] { ++calls; });
        context.SleepFor(absl::InfiniteDuration());
      }));
  bool stopped = false;
  auto other = run.Spawn([&] {
    run.Dwell(absl::Seconds(1));
    task.asked_to_stop = true;
    stopped = handle.RequestStop();
  });
  const absl::StatusOr<SupervisionResult> result = handle.Wait();
  other->Join();
  run.Check(IsStopped(*result) == stopped, "the result is not what RequestStop said");
  run.Check(calls <= 1, "a callback was called twice");
}

void LaneLostAgainstReturn(Run& run) {
  Counted task;
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle handle = *supervisor->Submit(
      Hanging(run, task, OnStuck::kRestart, [&run](TaskContext&) { run.Dwell(absl::Seconds(2)); }));
  const TaskHandle next = *supervisor->Submit(
      "next", [](TaskContext& context) { context.SleepFor(absl::Milliseconds(1)); });
  run.Check(handle.Wait()->final_status == SupervisionStatus::kCompletedNormally && task.runs == 2,
            "it did not succeed");
  run.Check(next.Wait(absl::Seconds(1)).ok(), "there is no result");
  const TaskHandle last = *supervisor->Submit("last", [] {});
  run.Check(last.Wait(absl::Seconds(1)).ok(), "no lane is left");
}

void GivenUpAgainstReturn(Run& run) {
  Counted task;
  int cleanups = 0;
  int shutdowns = 0;
  auto supervisor = run.MakeSupervisor(1);
  TaskSpec spec = Hanging(run, task, OnStuck::kRestartOrGiveUp,
                          [&run](TaskContext&) { run.Dwell(absl::Seconds(2)); });
  spec.hooks.cleanup = [&cleanups] { ++cleanups; };
  spec.hooks.on_shutdown = [&shutdowns] { ++shutdowns; };
  const TaskHandle handle = *supervisor->Submit(std::move(spec));
  const bool given_up = handle.Wait()->final_status == SupervisionStatus::kAbandoned;
  run.Check(given_up || task.runs == 2, "it was not tried again");
  run.Dwell(absl::Seconds(2));
  run.Check(cleanups == 1 && shutdowns == (given_up ? 1 : 0), "a hook too many or too few");
  run.Check(!given_up || task.runs == 1, "it was tried again");
  run.Check(handle.state() == TaskState::kFinished, "it is not finished");
  const size_t remembered = handle.history().attempts.size();
  run.Check(remembered == static_cast<size_t>(task.runs), "an attempt is remembered twice, or not");
  const TaskHandle last = *supervisor->Submit("last", [] {});
  run.Check(last.Wait(absl::Seconds(1)).ok(), "no lane is left");
}

// Nothing is to be called beside it, so its lane might be the one to wind it down.
void GivenUpWithoutHooks(Run& run) {
  Counted task;
  auto supervisor = run.MakeSupervisor(1);
  const TaskHandle handle = *supervisor->Submit(Hanging(
      run, task, OnStuck::kRestartOrGiveUp, [&run](TaskContext&) { run.Dwell(absl::Seconds(2)); }));
  const bool given_up = handle.Wait()->final_status == SupervisionStatus::kAbandoned;
  run.Check(task.runs == (given_up ? 1 : 2),
            "it was not tried again, or was though it is given up");
  run.Dwell(absl::Seconds(2));
  run.Check(handle.state() == TaskState::kFinished, "it is not finished");
}

// What is asked to stop in its turn, lower orders last, so that they are put aside.
std::vector<TaskHandle> InOrder(Supervisor& supervisor, const std::function<void(int)>& asked) {
  std::vector<TaskHandle> tasks;
  for (const int order : {2, 1, 0}) {
    tasks.push_back(*supervisor.Submit({.name = std::string(1, static_cast<char>('0' + order)),
                                        .run =
                                            [order, asked](TaskContext& context) {
                                              context.SleepFor(absl::InfiniteDuration());
                                              asked(order);
                                            },
                                        .stop_order = order}));
  }
  return tasks;
}

void StagesOneByOne(Run& run) {
  auto supervisor = run.MakeSupervisor(3);
  std::vector<TaskHandle> tasks;
  const auto asked = [&](int order) {
    const bool first = order == 0 || tasks.size() < 3;
    run.Check(first || tasks[static_cast<size_t>(3 - order)].TryResult().has_value(),
              "one was asked before its turn");
  };
  tasks = InOrder(*supervisor, asked);
  auto other = run.Spawn([&] { supervisor->RequestShutdown(); });
  run.Check(supervisor->Shutdown(absl::InfiniteDuration()).ok(), "Shutdown was late");
  run.Check(run.Now() == absl::ZeroDuration(), "a stage was left late");
  other->Join();
}

void StagesWithoutTime(Run& run) {
  auto supervisor = run.MakeSupervisor(3);
  const std::vector<TaskHandle> tasks = InOrder(*supervisor, [](int) {});
  auto other = run.Spawn([&] { (void)supervisor->Shutdown(absl::ZeroDuration()); });
  (void)supervisor->Shutdown(absl::ZeroDuration());
  for (const TaskHandle& task : tasks) {
    run.Check(task.TryResult().has_value(), "Shutdown has returned, and there is no result");
  }
  other->Join();
}

}  // namespace

std::vector<Scenario> AllScenarios() {
  return {{"a stop against the end", &StopAgainstEnd},
          {"a stop against a restart", &StopAgainstRestart},
          {"two jobs at once", &TwoJobsAtOnce},
          {"a push against a lane that is about to rest", &PushAgainstRest},
          {"an abandoned worker and its lane", &Abandonment},
          {"abandonment against the return", &AbandonAgainstReturn},
          {"a stop in the queue against the lane", &StopInTheQueue},
          {"a submit against a shutdown", &SubmitAgainstShutdown},
          {"two shutdowns", &TwoShutdowns},
          {"a Supervisor destroyed by its worker", &LastOwner},
          {"a callback against the result", &OneCallForEachCallback},
          {"two threads in WaitAny", &EachResultOnce},
          {"a missed heartbeat against the return", &HangAgainstReturn},
          {"a stop against a missed heartbeat", &StopAgainstHang},
          {"a lane that is lost against the return", &LaneLostAgainstReturn},
          {"a task that is given up against the return", &GivenUpAgainstReturn},
          {"the same without hooks", &GivenUpWithoutHooks},
          {"stages, one by one", &StagesOneByOne},
          {"stages, without time", &StagesWithoutTime}};
}

}  // namespace foxtive::test
