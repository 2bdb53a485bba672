// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/stop_stages.h"

#include <algorithm>
#include <climits>
#include <cstddef>

namespace foxtive::internal {
namespace {

constexpr auto kIsUnfinished = [](const auto& stage) { return stage.second.unfinished > 0; };

}  // namespace

void StopStages::Reserve(int stop_order) {
  if (stop_order != 0) tasks_.try_emplace(stop_order);
}

StopStages::Tasks& StopStages::Of(int stop_order) {
  return stop_order == 0 ? without_order_ : tasks_.find(stop_order)->second;
}

size_t StopStages::unfinished(int stop_order) const {
  const auto found = tasks_.find(stop_order);
  return found != tasks_.end() ? found->second.unfinished : 0;
}

bool StopStages::Ended(int stop_order) {
  Tasks& tasks = Of(stop_order);
  if (--tasks.unfinished > 0) return false;
  if (&tasks != &without_order_) tasks_.erase(stop_order);
  if (current_ == kNotBegun) return false;
  if (!HasReached(stop_order)) --following_;
  return stop_order == current_ && following_ > 0;
}

void StopStages::Begin() {
  if (current_ != kNotBegun) return;
  const auto first = std::find_if(tasks_.begin(), tasks_.end(), kIsUnfinished);
  current_ = first != tasks_.end() ? first->first : INT_MAX;
  const auto count = std::count_if(tasks_.begin(), tasks_.end(), kIsUnfinished);
  following_ = static_cast<size_t>(std::max<std::ptrdiff_t>(count - 1, 0));
}

bool StopStages::Next() {
  if (following_ == 0) return false;
  auto next = tasks_.upper_bound(current().stop_order);
  while (next->second.unfinished == 0) ++next;
  current_ = next->first;
  --following_;
  return true;
}

TaskRecord* StopStages::FirstDue() {
  for (auto stage = tasks_.lower_bound(lowest_due_);
       stage != tasks_.end() && HasReached(stage->first); ++stage) {
    lowest_due_ = stage->first;
    if (stage->second.later.first() != nullptr) return stage->second.later.first();
  }
  return nullptr;
}

int64_t StageParts::EndOf(const StopStages::Stage& current, int64_t now_nanos) {
  if (current.following == 0) return Clock::kNever;
  if (known_ && current.stop_order == stop_order_) return end_nanos_;
  known_ = true;
  stop_order_ = current.stop_order;
  if (deadline_nanos_ == Clock::kNever) return end_nanos_ = Clock::kNever;
  const int64_t left = std::max<int64_t>(deadline_nanos_ - now_nanos, 0);
  gives_time_ = left > 0;
  return end_nanos_ = now_nanos + left / static_cast<int64_t>(current.following + 1);
}

}  // namespace foxtive::internal
