// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A supervised task for each device.

#include <utility>

#include "examples/legacy_embed/logger.h"
#include "examples/legacy_embed/service.h"
#include "foxtive/supervisor.h"

namespace legacy_embed {
namespace {

// What happens to the tasks, in the service's own log.
class TaskLog : public foxtive::EventListener {
 public:
  void OnEvent(const foxtive::Event& event) override {
    const bool over = event.kind == foxtive::EventKind::kTaskOver;
    const bool stopped = event.final_status == foxtive::SupervisionStatus::kManuallyStopped;
    const auto level = stopped ? Logger::kInfo : over ? Logger::kError : Logger::kWarning;
    Logger::Get().Write(level, ToString(event));
  }
  foxtive::EventDetail detail() const override { return foxtive::EventDetail::kNotable; }
};

class DeviceService : public Service {
 public:
  explicit DeviceService(Devices devices) : devices_(std::move(devices)) {}

  void Start() override {
    supervisor_ = foxtive::Supervisor::Create({.listener = std::make_shared<TaskLog>()}).value();
    for (const auto& device : devices_) {
      foxtive::TaskSpec task{.name = device->name()};
      task.run = [device](foxtive::TaskContext& context) {
        device->Connect();
        device->Serve();
        return context.stop_requested() ? absl::OkStatus() : absl::UnavailableError("it hung up");
      };
      task.backoff = foxtive::BackoffStrategy::Exponential(absl::Milliseconds(5));
      task.hooks.on_shutdown = [device] { device->Disconnect(); };
      supervisor_->Submit(std::move(task)).value();
    }
  }

  void Stop() override { supervisor_.reset(); }  // takes 30 s at most, the default

 private:
  const Devices devices_;
  std::unique_ptr<foxtive::Supervisor> supervisor_;
};

}  // namespace

std::unique_ptr<Service> MakeService(Devices devices) {
  return std::make_unique<DeviceService>(std::move(devices));
}

}  // namespace legacy_embed
