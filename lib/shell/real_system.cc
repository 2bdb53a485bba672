// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The System of the kernel and oneTBB.

#include <array>
#include <cstddef>
#include <exception>
#include <new>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "lib/shell/capacity_registry.h"
#include "lib/shell/caught.h"
#include "lib/shell/real_time.h"
#include "lib/shell/system.h"
#include "lib/shell/thread_setup.h"

namespace foxtive::internal {
namespace {

class RealThread final : public System::Thread {
 public:
  // Throws std::system_error.
  explicit RealThread(std::function<void()> body) : thread_(std::move(body)) {}

  void Join() override { thread_.join(); }
  void Detach() override { thread_.detach(); }

 private:
  std::thread thread_;
};

class RealSystem final : public System {
 public:
  Clock& real_clock() override { return RealClock(); }

  // With all asynchronous signals blocked.
  absl::StatusOr<std::unique_ptr<Thread>> StartThread(std::function<void()> body) override {
    try {
      const SignalsBlocked signals_blocked;  // the thread inherits it
      return std::make_unique<RealThread>(std::move(body));
    } catch (const std::bad_alloc&) {
      return NoMemory();
    } catch (const std::exception& error) {
      return NoThread(error);
    }
  }

  LaunchReport Launch(std::shared_ptr<LaneBody> body) override {
    return CapacityRegistry::Get().Launch(std::move(body));
  }
  bool RaiseByOne() override { return CapacityRegistry::Get().RaiseByOne(); }
  LaunchReport Look() override { return CapacityRegistry::Get().Look(); }
  bool lanes_own_threads() const override { return true; }
  void Yield() noexcept override { std::this_thread::yield(); }

 private:
  static absl::Status NoThread(const std::exception& error) {
    try {
      return absl::ResourceExhaustedError(error.what());
    } catch (const std::bad_alloc&) {
      return NoMemory();
    }
  }
};

}  // namespace

// Owns nothing, and so allocates nothing.
std::shared_ptr<System> System::Real() {
  alignas(RealSystem) static std::array<std::byte, sizeof(RealSystem)> memory;
  static RealSystem& real = *new (memory.data()) RealSystem;
  return {std::shared_ptr<System>(), &real};
}

std::shared_ptr<System> System::Of(const std::shared_ptr<Clock>& clock) {
  auto* const own = dynamic_cast<SystemClock*>(clock.get());
  return own != nullptr ? own->system() : Real();
}

}  // namespace foxtive::internal
