// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/failing_allocator.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

namespace foxtive::test {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

std::atomic<Allocations> g_mode{Allocations::kOff};
std::atomic<int64_t> g_allocations{0};
// Counted down; from 0 on they fail, g_failures times.
std::atomic<int64_t> g_until_failure{kNever};
std::atomic<int64_t> g_failures{0};
thread_local bool t_spared = false;
thread_local int64_t t_until_failure = 0;  // 0: none

bool FailsElsewhere() {
  if (t_spared || g_until_failure == kNever) return false;
  const int64_t left = --g_until_failure;
  return left <= 0 && left > -g_failures;
}

void* Allocate(size_t size, size_t alignment = alignof(std::max_align_t)) noexcept {
  const Allocations mode = g_mode;
  if (mode != Allocations::kOff) ++g_allocations;
  if (mode == Allocations::kFail || FailsElsewhere()) return nullptr;
  if (t_until_failure > 0 && --t_until_failure == 0) return nullptr;
  return std::aligned_alloc(alignment, (size / alignment + 1) * alignment);
}

void* OrThrow(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Not inlined: where the compiler sees free() for a new of its own, it warns.
[[gnu::noinline]] void Release(void* memory) noexcept { std::free(memory); }

}  // namespace

void SetAllocations(Allocations mode) {
  g_allocations = 0;
  g_mode = mode;
}

int64_t EndAllocations() {
  g_mode = Allocations::kOff;
  return g_allocations;
}

void FailAllocationHere(int64_t nth) { t_until_failure = nth; }

bool EndFailureHere() { return std::exchange(t_until_failure, 0) == 0; }

void FailAllocationsElsewhere(int64_t nth, int64_t count) {
  t_spared = true;
  g_failures = count;
  g_until_failure = nth;
}

bool EndFailuresElsewhere() {
  t_spared = false;
  return g_until_failure.exchange(kNever) <= 0;
}

bool HasFailedElsewhere() { return g_until_failure <= 0; }

Elsewhere::Elsewhere(bool is) : was_spared_(std::exchange(t_spared, !is)) {}
Elsewhere::~Elsewhere() { t_spared = was_spared_; }

}  // namespace foxtive::test

using ::foxtive::test::Allocate;
using ::foxtive::test::OrThrow;
using ::foxtive::test::Release;

void* operator new(size_t size) { return OrThrow(Allocate(size)); }
void* operator new[](size_t size) { return OrThrow(Allocate(size)); }
void* operator new(size_t size, std::align_val_t alignment) {
  return OrThrow(Allocate(size, static_cast<size_t>(alignment)));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return OrThrow(Allocate(size, static_cast<size_t>(alignment)));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { Release(memory); }
void operator delete[](void* memory) noexcept { Release(memory); }
void operator delete(void* memory, size_t) noexcept { Release(memory); }
void operator delete[](void* memory, size_t) noexcept { Release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { Release(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { Release(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { Release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { Release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { Release(memory); }
