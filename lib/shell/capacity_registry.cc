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
#include <array>
#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include "lib/shell/exit_gate.h"
#include "lib/shell/thread_setup.h"

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

// More than oneTBB takes while it starts. It never recovers from an allocation that fails then: the
// next call into it does not return.
constexpr size_t kStartBytes = size_t{4} << 20;

bool HasMemoryToStart() {
  void* const memory = ::operator new(kStartBytes, std::nothrow);
  ::operator delete(memory);
  return memory != nullptr;
}

// The name of this thread while it may create threads for oneTBB, which inherit it: one that never
// becomes a lane must not pass for the monitor.
class SpareName {
 public:
  SpareName() {
    pthread_getname_np(pthread_self(), former_.data(), former_.size());
    NameThread("foxtive-spare");
  }
  ~SpareName() { pthread_setname_np(pthread_self(), former_.data()); }

 private:
  ThreadName former_{};
};

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

// A global_control without its destructor, which is noexcept: taking the lower one away is what
// raises, and that may create a thread.
class CapacityRegistry::Control {
 public:
  explicit Control(int parallelism)
      : control_(GlobalControl::max_allowed_parallelism, static_cast<size_t>(parallelism)) {}
  ~Control() {}

  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Once. False: it is gone, but a thread could not be created.
  bool Remove() {
    try {
      tbb::detail::r1::destroy(control_);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

 private:
  union {
    GlobalControl control_;
  };
};

struct CapacityRegistry::Arena {
  enum class Entry : uint8_t { kClosed, kHandedOver, kTaken };

  tbb::task_arena arena{1, 0, tbb::task_arena::priority::high};
  std::shared_ptr<LaneBody> body;  // from Launch until the loop begins
  // The hand-over of `body`, and who takes it: the loop, or Launch if it failed. oneTBB hands over
  // as well, but the thread sanitizer can't see that.
  std::atomic<Entry> entry{Entry::kClosed};
  bool ghost = false;  // guarded by the registry's mutex, as are the links
  Arena* next_of_all = nullptr;
  Arena* next_pooled = nullptr;
};

CapacityRegistry& CapacityRegistry::Get() {
  // Never destroyed. In memory of its own, since the monitor, which is the first to come here,
  // must not find none.
  alignas(CapacityRegistry) static std::array<std::byte, sizeof(CapacityRegistry)> memory;
  static CapacityRegistry& registry = *new (memory.data()) CapacityRegistry;
  return registry;
}

LaunchReport CapacityRegistry::Launch(std::shared_ptr<LaneBody> body) {
  LaunchReport report;
  UnlessExiting([&] {
    const SpareName name;
    MutexLock lock(mutex_);
    const bool launched = LaunchLocked(body);
    report = LookLocked();
    report.launched = launched;
  });
  return report;
}

bool CapacityRegistry::LaunchLocked(std::shared_ptr<LaneBody>& body) {
  if (pooled_ == nullptr) return LaunchInNewArenaLocked(body);
  // A thread is most likely asleep for it: the one that gave it back.
  if (hand_over_failed_ && !CreateAndJoinThread()) return false;
  Arena& arena = *std::exchange(pooled_, pooled_->next_pooled);
  --pooled_count_;
  return HandOverLocked(arena, body);
}

bool CapacityRegistry::LaunchInNewArenaLocked(std::shared_ptr<LaneBody>& body) {
  if (control_ == nullptr && !HasMemoryToStart()) return false;
  if (!CreateAndJoinThread()) return false;
  Arena* const arena = NewArenaLocked();
  if (arena == nullptr || !HandOverLocked(*arena, body)) return false;
  RaiseLocked(1 + host_budget_ + created_ + extra_);
  return true;
}

// Null: no memory.
CapacityRegistry::Arena* CapacityRegistry::NewArenaLocked() {
  try {
    auto* const arena = new Arena;
    arena->next_of_all = std::exchange(all_, arena);
    StartLocked(*arena);
    ++created_;
    return arena;
  } catch (const std::exception&) {
    return nullptr;
  }
}

// The first time it starts oneTBB, if the host has not.
void CapacityRegistry::StartLocked(Arena& arena) {
  if (control_ != nullptr) {
    arena.arena.initialize();
    return;
  }
  host_budget_ = HostBudget();
  const GlobalControl high(GlobalControl::max_allowed_parallelism,
                           static_cast<size_t>(std::max(kFirstParallelism, 1 + host_budget_)));
  arena.arena.initialize();
  control_ = new Control(1 + host_budget_);
  parallelism_ = 1 + host_budget_;
}

// False: the arena is a ghost, and `body` is the caller's again.
bool CapacityRegistry::HandOverLocked(Arena& arena, std::shared_ptr<LaneBody>& body) {
  arena.body = std::move(body);
  hand_over_failed_ = false;
  try {
    Enqueue(arena);
    return true;
  } catch (const std::exception&) {
    hand_over_failed_ = true;
    arena.ghost = true;
  }
  if (arena.entry.exchange(Arena::Entry::kTaken) == Arena::Entry::kTaken) {
    workers_lost_ = true;  // a thread of another arena was faster, and runs it
    return true;
  }
  body = std::move(arena.body);
  return false;
}

// By one at a time: a raise by more leaves it to the threads that come to create the others, and
// if that fails there it ends the process.
bool CapacityRegistry::RaiseLocked(int parallelism) {
  while (parallelism_ < parallelism) {
    if (!CreateAndJoinThread()) return false;
    std::unique_ptr<Control> former;
    try {
      former.reset(std::exchange(control_, new Control(parallelism_ + 1)));
    } catch (const std::exception&) {
      return false;
    }
    ++parallelism_;
    if (former->Remove()) continue;
    workers_lost_ = true;
    return false;
  }
  return true;
}

bool CapacityRegistry::RaiseByOne() {
  bool raised = false;
  UnlessExiting([&] {
    const SpareName name;
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

// Does not start oneTBB by asking.
LaunchReport CapacityRegistry::LookLocked() const {
  if (control_ == nullptr) return {};
  return {.workers_lost = workers_lost_,
          .parallelism_found = ActiveParallelism(),
          .parallelism_wanted = parallelism_};
}

// What oneTBB keeps for us until a thread comes. Two functions that do nothing else, so that the
// thread sanitizer can be told of this hand-over, which it can't see, and of no other.
struct CapacityRegistry::LaneEntry {
  Arena* arena;
  [[gnu::noinline]] void operator()() const { Enter(*arena); }
};

[[gnu::noinline]] void CapacityRegistry::Enqueue(Arena& arena) {
  arena.entry.store(Arena::Entry::kHandedOver, std::memory_order_release);
  arena.arena.enqueue(LaneEntry{&arena});
}

void CapacityRegistry::Enter(Arena& arena) noexcept {
  const LaneScope scope;
  bool ghost = true;
  // First a read: it is what makes an order, also for the thread sanitizer.
  if (arena.entry.load(std::memory_order_acquire) == Arena::Entry::kHandedOver &&
      arena.entry.exchange(Arena::Entry::kTaken) == Arena::Entry::kHandedOver) {
    const std::shared_ptr<LaneBody> body = std::move(arena.body);
    body->Run();
    ghost = !Get().GiveBack(arena);
    body->Left();
  } else {
    MutexLock lock(Get().mutex_);
    Get().workers_lost_ = true;
  }
  if (ghost) NameThread("foxtive-ghost");
  // A ghost lets no thread go. And not back into oneTBB when it is being taken apart: the process
  // will be gone in a moment.
  while (ghost || IsExiting()) pause();
}

// False: it is a ghost.
bool CapacityRegistry::GiveBack(Arena& arena) {
  MutexLock lock(mutex_);
  if (arena.ghost) return false;
  arena.next_pooled = std::exchange(pooled_, &arena);
  ++pooled_count_;
  return true;
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
