// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/capacity_registry.h"

#include <link.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>
#include <pthread.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include "lib/shell/exit_gate.h"

namespace foxtive::internal {
namespace {

using GlobalControl = tbb::global_control;

int ActiveParallelism() {
  const size_t value = GlobalControl::active_value(GlobalControl::max_allowed_parallelism);
  return static_cast<int>(std::min(value, size_t{INT_MAX}));
}

int HostBudget() {
  return std::min(std::max(ActiveParallelism(), tbb::info::default_concurrency()),
                  CapacityRegistry::kMaxHostBudget);
}

// Ends the search when it is found.
int IsOneTbbAllocator(dl_phdr_info* library, size_t, void*) {
  return std::strstr(library->dlpi_name, "/libtbbmalloc.so") != nullptr ? 1 : 0;
}

void* DoNothing(void*) { return nullptr; }

// Whether the system would give a oneTBB thread now: makes one with the same stack, and waits for
// its end (about 25 us). Another thread of the process may still take the last one afterwards.
bool CreateAndJoinThread() {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_t thread;
  const size_t stack = GlobalControl::active_value(GlobalControl::thread_stack_size);
  const bool created = pthread_attr_setstacksize(&attributes, stack) == 0 &&
                       pthread_create(&thread, &attributes, &DoNothing, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  if (created) pthread_join(thread, nullptr);
  return created;
}

}  // namespace

class CapacityRegistry::Control : public GlobalControl {
 public:
  explicit Control(int parallelism)
      : GlobalControl(max_allowed_parallelism, static_cast<size_t>(parallelism)) {}
};

struct CapacityRegistry::Arena {
  tbb::task_arena arena{1, 0, tbb::task_arena::priority::high};
  std::shared_ptr<LaneBody> body;  // from Launch until the loop begins
  // The hand-over of `body`. oneTBB hands over as well, but the thread sanitizer can't see that.
  std::atomic<bool> handed_over{false};
  bool ghost = false;  // guarded by the registry's mutex, as are the links
  bool pooled = false;
  Arena* next_of_all = nullptr;
  Arena* next_pooled = nullptr;
};

CapacityRegistry& CapacityRegistry::Get() {
  static CapacityRegistry& registry = *new CapacityRegistry;
  return registry;
}

LaunchReport CapacityRegistry::Launch(std::shared_ptr<LaneBody> body) {
  LaunchReport report;
  UnlessExiting([&] {
    MutexLock lock(mutex_);
    const bool launched = LaunchLocked(body);
    report = LookLocked();
    report.launched = launched;
  });
  return report;
}

bool CapacityRegistry::LaunchLocked(std::shared_ptr<LaneBody>& body) {
  if (pooled_ == nullptr) return LaunchInNewArenaLocked(body);
  Arena& arena = *std::exchange(pooled_, pooled_->next_pooled);
  --pooled_count_;
  arena.pooled = false;
  arena.body = std::move(body);
  try {
    Enqueue(arena);
    return true;
  } catch (const std::exception&) {
    arena.ghost = true;
    return false;
  }
}

bool CapacityRegistry::LaunchInNewArenaLocked(std::shared_ptr<LaneBody>& body) {
  if (!CreateAndJoinThread()) return false;
  Arena* arena = nullptr;
  try {
    arena = new Arena;
    arena->next_of_all = std::exchange(all_, arena);
    if (!StartLocked(*arena)) return false;
    ++created_;
    arena->body = std::move(body);
    Enqueue(*arena);
  } catch (const std::exception&) {
    if (arena != nullptr) arena->ghost = true;
    return false;
  }
  RaiseLocked(1 + host_budget_ + created_ + extra_);
  return true;
}

// The first time it starts oneTBB, if the host has not.
bool CapacityRegistry::StartLocked(Arena& arena) {
  if (control_ != nullptr) {
    arena.arena.initialize();
    return true;
  }
  host_budget_ = HostBudget();
  const Control high(std::max(kFirstParallelism, 1 + host_budget_));
  arena.arena.initialize();
  control_ = new Control(1 + host_budget_);
  parallelism_ = 1 + host_budget_;
  return true;
}

// By one at a time: what follows from a raise beyond what oneTBB can get is the end of the process.
bool CapacityRegistry::RaiseLocked(int parallelism) {
  while (parallelism_ < parallelism) {
    if (!CreateAndJoinThread()) return false;
    try {
      Control* const raised = new Control(parallelism_ + 1);
      delete std::exchange(control_, raised);
      ++parallelism_;
    } catch (const std::exception&) {
      return false;
    }
  }
  return true;
}

bool CapacityRegistry::RaiseByOne() {
  bool raised = false;
  UnlessExiting([&] {
    MutexLock lock(mutex_);
    if (control_ == nullptr) return;
    const int before = parallelism_;
    raised = RaiseLocked(before + 1);
    if (parallelism_ > 1 + host_budget_ + created_ + extra_) ++extra_;
  });
  return raised;
}

LaunchReport CapacityRegistry::Look() const {
  LaunchReport report;
  UnlessExiting([&] {
    MutexLock lock(mutex_);
    report = LookLocked();
  });
  return report;
}

LaunchReport CapacityRegistry::LookLocked() const {
  return {.parallelism_found = ActiveParallelism(), .parallelism_wanted = parallelism_};
}

// What oneTBB keeps for us until a thread comes. Two functions that do nothing else, so that the
// thread sanitizer can be told of this hand-over, which it can't see, and of no other.
struct CapacityRegistry::LaneEntry {
  Arena* arena;
  [[gnu::noinline]] void operator()() const { Enter(*arena); }
};

[[gnu::noinline]] void CapacityRegistry::Enqueue(Arena& arena) {
  arena.handed_over.store(true, std::memory_order_release);
  arena.arena.enqueue(LaneEntry{&arena});
}

void CapacityRegistry::Enter(Arena& arena) noexcept {
  // Always true; read for the order that it makes.
  if (!arena.handed_over.load(std::memory_order_acquire)) return;
  const LaneScope scope;
  const std::shared_ptr<LaneBody> body = std::move(arena.body);
  body->Run();
  Get().GiveBack(arena);
  body->Left();
  // Not back into oneTBB when it is being taken apart: the process will be gone in a moment.
  while (IsExiting()) pause();
}

void CapacityRegistry::GiveBack(Arena& arena) {
  MutexLock lock(mutex_);
  if (arena.ghost || arena.pooled) return;
  arena.pooled = true;
  arena.next_pooled = std::exchange(pooled_, &arena);
  ++pooled_count_;
}

bool CapacityRegistry::HostMayHaveRunOneTbb() {
  if (tbb::this_task_arena::current_thread_index() != tbb::task_arena::not_initialized) return true;
  return __libc_single_threaded == 0 && dl_iterate_phdr(&IsOneTbbAllocator, nullptr) != 0;
}

int CapacityRegistry::arenas_created() const {
  MutexLock lock(mutex_);
  return created_;
}

int CapacityRegistry::arenas_pooled() const {
  MutexLock lock(mutex_);
  return pooled_count_;
}

int CapacityRegistry::parallelism() const {
  MutexLock lock(mutex_);
  return parallelism_;
}

}  // namespace foxtive::internal
