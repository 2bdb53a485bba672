// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Service: reads all devices, from Start to Stop. service_before.cc and service_after.cc are two
// ways to write it; everything else is shared.

#ifndef FOXTIVE_EXAMPLES_LEGACY_EMBED_SERVICE_H_
#define FOXTIVE_EXAMPLES_LEGACY_EMBED_SERVICE_H_

#include <memory>
#include <vector>

#include "examples/legacy_embed/devices.h"

namespace legacy_embed {

using Devices = std::vector<std::shared_ptr<Device>>;

class Service {
 public:
  virtual ~Service() = default;

  virtual void Start() = 0;
  virtual void Stop() = 0;  // returns when no device is read any more
};

std::unique_ptr<Service> MakeService(Devices devices);

}  // namespace legacy_embed

#endif  // FOXTIVE_EXAMPLES_LEGACY_EMBED_SERVICE_H_
