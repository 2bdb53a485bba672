// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A thread for each device, with the loop that everybody writes.

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "examples/legacy_embed/logger.h"
#include "examples/legacy_embed/service.h"

namespace legacy_embed {
namespace {

class DeviceService : public Service {
 public:
  explicit DeviceService(Devices devices) : devices_(std::move(devices)) {}

  void Start() override {
    for (const auto& device : devices_) {
      threads_.emplace_back([this, device] { Run(*device); });
    }
  }

  void Stop() override {
    running_ = false;
    for (std::thread& thread : threads_) thread.join();
    for (const auto& device : devices_) device->Disconnect();
  }

 private:
  void Run(Device& device) {
    while (running_) {
      try {
        device.Connect();
        device.Serve();
        return;  // it hung up: nothing more will come
      } catch (const std::exception& error) {
        Logger::Get().Write(Logger::kError, device.name() + ": " + error.what());
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
  }

  const Devices devices_;
  std::atomic<bool> running_ = true;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Service> MakeService(Devices devices) {
  return std::make_unique<DeviceService>(std::move(devices));
}

}  // namespace legacy_embed
