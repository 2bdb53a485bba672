// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Calls that ask and calls that wait, by the host and by workers.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/fuzz/session.h"

namespace foxtive::test {

// --- What there is.

void Session::Find() {
  const std::string name = MakeName(input_);
  const absl::StatusOr<TaskHandle> found = supervisor_->Find(name);
  const Probes mine = Mine();
  const auto newest = std::find_if(mine.rbegin(), mine.rend(),
                                   [&](const auto& probe) { return probe->name() == name; });
  const bool there = newest != mine.rend() &&
                     (!(*newest)->has_result() ||
                      ((*newest)->registered() && !shut_down_ && !(*newest)->handed_out()));
  if (there) return Check(found.ok() && *found == (*newest)->handle(), "Find has not found it");
  Check(shut_down_ || absl::IsNotFound(found.status()), "Find has found what is not there");
}

void Session::LookAtTables() {
  std::vector<std::string> expected;
  size_t started = 0;
  for (const std::shared_ptr<Probe>& probe : Mine()) {
    if (probe->has_result()) continue;
    expected.push_back(probe->name());
    if (probe->started()) ++started;
  }
  std::vector<std::string> listed;
  for (const TaskInfo& info : supervisor_->ListTasks()) listed.push_back(info.name);
  Check(listed == expected, "ListTasks lists others, or in another order");
  Check(supervisor_->task_count() == started, [&] {
    return absl::StrCat("task_count is ", supervisor_->task_count(), ", started are ", started);
  });
}

// --- Waits.

void Session::HandOut(const SupervisionResult& result) {
  const Probes mine = Mine();
  const auto whose = std::find_if(mine.begin(), mine.end(), [&](const auto& probe) {
    return IsAwaited(probe) && probe->name() == result.task_name && probe->has_result();
  });
  Check(whose != mine.end(), "a result that was not to be handed out");
  (*whose)->HandedOut(result);
}

void Session::WaitAny() {
  const bool awaited = CountMine(&Session::IsAwaited) > 0;
  const absl::Duration timeout = Timeout();
  const absl::Duration due = Now() + timeout;
  const auto result = supervisor_->WaitAny(timeout);
  if (result.ok()) return HandOut(*result);
  if (!awaited) return Check(absl::IsOutOfRange(result.status()), "WaitAny waits for nothing");
  Check(absl::IsDeadlineExceeded(result.status()), "WaitAny gives up otherwise");
  Check(Now() >= due, "WaitAny gives up early");
  Check(CountMine([](const auto& p) { return IsAwaited(p) && p->has_result(); }) == 0,
        "WaitAny has not handed out what is there");
}

void Session::WaitAll() {
  const absl::Duration timeout = Timeout();
  const absl::Duration due = Now() + timeout;
  const auto results = supervisor_->WaitAll(timeout);
  const size_t awaited = CountMine(&Session::IsAwaited);
  if (!results.ok()) {
    Check(absl::IsDeadlineExceeded(results.status()), "WaitAll gives up otherwise");
    Check(Now() >= due && awaited > 0, "WaitAll gives up early");
    return;
  }
  Check(results->size() == awaited, "WaitAll has left some results out");
  for (const SupervisionResult& result : *results) HandOut(result);
}

void Session::Wait() {
  const Probe& probe = Any();
  const absl::Duration timeout = Timeout();
  const absl::Duration due = Now() + timeout;
  const auto result = probe.handle().Wait(timeout);
  Check(result.ok() == probe.has_result(), "Wait says another thing than TryResult");
  if (result.ok()) return;
  Check(absl::IsDeadlineExceeded(result.status()) && Now() >= due, "Wait gives up early");
}

void Session::AddCallback() {
  Probe& probe = Any();
  const size_t what = input_.Below(4);
  if (what > 1) return probe.AddCallback(/*throws=*/what == 2);
  const TaskHandle none;
  const absl::Status status =
      what == 0 ? probe.handle().OnFinished(nullptr) : none.OnFinished([](const auto&) {});
  Check(what == 0 ? absl::IsInvalidArgument(status) : absl::IsFailedPrecondition(status),
        "OnFinished takes what it should refuse");
}

void Session::LookAtFuture() {
  const Probe& probe = Any();
  const std::shared_future<SupervisionResult> future = probe.handle().future();
  const bool ready = future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  Check(ready == probe.has_result(), "a future says another thing than TryResult");
  if (ready) Check(future.get().task_name == probe.name(), "a future has another result");
}

// --- What workers do.

void Session::Do(Deed deed, Probe& probe) {
  const bool has_supervisor = supervisor_ != nullptr && probe.supervisor() == number_;
  switch (deed) {
    case Deed::kNone:
      return;
    case Deed::kStopItself:
      probe.RequestStop();
      return;
    case Deed::kSubmit:
      if (has_supervisor) Add(PlanOfChild(absl::StrCat("child ", ++children_)), false, false);
      return;
    case Deed::kAskWhatItMayNot:
      if (has_supervisor) AskWhatItMayNot(probe);
      return;
    case Deed::kLookAround:
      if (has_supervisor) LookAround(probe);
      return;
    case Deed::kRequestShutdown:
      if (!has_supervisor) return;
      TellOfShutdown(absl::InfiniteDuration());
      return supervisor_->RequestShutdown();
  }
}

void Session::AskWhatItMayNot(Probe& probe) {
  const absl::Status statuses[] = {
      supervisor_->WaitAny().status(), supervisor_->WaitAll().status(), supervisor_->Shutdown(),
      probe.has_result() ? absl::FailedPreconditionError("") : probe.handle().Wait().status()};
  for (const absl::Status& status : statuses) {
    Check(absl::IsFailedPrecondition(status), "a worker may wait for itself");
  }
}

void Session::LookAround(const Probe& probe) {
  LookAtTables();
  if (probe.has_result()) return;
  const absl::StatusOr<TaskHandle> found = supervisor_->Find(probe.name());
  Check(found.ok() && *found == probe.handle(), "a worker does not find itself");
}

}  // namespace foxtive::test
