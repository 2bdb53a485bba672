// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

// Its check of longjmp knows one stack only.
#undef _FORTIFY_SOURCE

#include "lib/testing/fiber.h"

#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define FOXTIVE_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FOXTIVE_FIBER_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define FOXTIVE_FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FOXTIVE_FIBER_TSAN 1
#endif
#endif

#ifdef FOXTIVE_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

// gcc has no header for these.
#ifdef FOXTIVE_FIBER_TSAN
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}
#endif

namespace foxtive::internal {
namespace {

thread_local Fiber* entering = nullptr;  // between a switch and the first line of the fiber

size_t PageBytes() {
  static const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

[[noreturn]] void DieNoStack() {
  std::fprintf(stderr, "foxtive: no memory for the stack of a simulated thread\n");
  std::abort();
}

// Stacks that are not in use. A system call for each would be most of what a short simulation
// costs.
struct FreeStack {
  FreeStack* next;
};
constexpr int kMostFreeStacks = 64;
constinit thread_local FreeStack* free_stacks = nullptr;
constinit thread_local int free_stack_count = 0;

char* BottomOf(void* stack) { return static_cast<char*>(stack) + PageBytes(); }

void* MapStack() {
  const size_t page = PageBytes();
  void* const stack = mmap(nullptr, page + Fiber::kStackBytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED || mprotect(stack, page, PROT_NONE) != 0) DieNoStack();
  return stack;
}

void* NewStack() {
  void* stack;
  if (free_stacks != nullptr) {
    stack = reinterpret_cast<char*>(std::exchange(free_stacks, free_stacks->next)) - PageBytes();
    --free_stack_count;
  } else {
    stack = MapStack();
  }
#ifdef FOXTIVE_FIBER_ASAN
  // What a stack that is never unwound refers to is not leaked.
  __lsan_register_root_region(BottomOf(stack), Fiber::kStackBytes);
#endif
  return stack;
}

void DeleteStack(void* stack) {
#ifdef FOXTIVE_FIBER_ASAN
  __lsan_unregister_root_region(BottomOf(stack), Fiber::kStackBytes);
  __asan_unpoison_memory_region(BottomOf(stack), Fiber::kStackBytes);
#endif
  if (free_stack_count == kMostFreeStacks) {
    munmap(stack, PageBytes() + Fiber::kStackBytes);
    return;
  }
  ++free_stack_count;
  free_stacks = new (BottomOf(stack)) FreeStack{free_stacks};
}

}  // namespace

Fiber::Fiber() {
#ifdef FOXTIVE_FIBER_TSAN
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)), entered_(false) {
  stack_ = NewStack();
  bottom_ = BottomOf(stack_);
  size_ = kStackBytes;
  getcontext(&context_);
  context_.uc_stack.ss_sp = const_cast<void*>(bottom_);
  context_.uc_stack.ss_size = size_;
  context_.uc_link = nullptr;
  makecontext(&context_, &Fiber::Enter, 0);
  thread_state_.parker = &parker_;
#ifdef FOXTIVE_FIBER_TSAN
  tsan_fiber_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
  if (stack_ == nullptr) return;
#ifdef FOXTIVE_FIBER_TSAN
  __tsan_destroy_fiber(tsan_fiber_);
#endif
  DeleteStack(stack_);
}

void Fiber::Enter() {
  Fiber& self = *std::exchange(entering, nullptr);
  self.TellSanitizersAfter();
  self.body_();
  std::abort();
}

void Fiber::SwitchFrom(Fiber& current, bool for_good) {
  auto& exceptions = *reinterpret_cast<Exceptions*>(abi::__cxa_get_globals());
  current.thread_state_ = std::exchange(this_thread_state, thread_state_);
  current.exceptions_ = std::exchange(exceptions, exceptions_);
  came_from_ = &current;
  TellSanitizersBefore(current, for_good);
  Jump(current);
  current.TellSanitizersAfter();
}

void Fiber::Jump(Fiber& current) {
  if (_setjmp(current.left_at_) != 0) return;
  if (entered_) _longjmp(left_at_, 1);
  entered_ = true;
  entering = this;
  setcontext(&context_);
  std::abort();
}

void Fiber::TellSanitizersBefore([[maybe_unused]] Fiber& current, [[maybe_unused]] bool for_good) {
#ifdef FOXTIVE_FIBER_ASAN
  __sanitizer_start_switch_fiber(for_good ? nullptr : &current.fake_stack_, bottom_, size_);
#endif
#ifdef FOXTIVE_FIBER_TSAN
  __tsan_switch_to_fiber(tsan_fiber_, 0);
#endif
}

// On this fiber. Where the stack lies that was left is known only now, if it is the system's.
void Fiber::TellSanitizersAfter() {
#ifdef FOXTIVE_FIBER_ASAN
  Fiber& former = *came_from_;
  __sanitizer_finish_switch_fiber(fake_stack_, former.stack_ == nullptr ? &former.bottom_ : nullptr,
                                  former.stack_ == nullptr ? &former.size_ : nullptr);
#endif
}

}  // namespace foxtive::internal
