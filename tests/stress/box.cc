// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/stress/box.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "tests/support/test_util.h"

namespace foxtive::test {

// Under the lock, so that it lives as long as something is put in.
void Boxes::Give(Random& random) {
  const std::lock_guard lock(mutex_);
  if (!all_.empty()) all_[random.Below(all_.size())]->Put();
}

Box::Box(Boxes& boxes) : boxes_(boxes), descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) Die("no descriptor for the stress test");
  const std::lock_guard lock(boxes_.mutex_);
  boxes_.all_.push_back(this);
}

Box::~Box() {
  {
    const std::lock_guard lock(boxes_.mutex_);
    std::erase(boxes_.all_, this);
  }
  close(descriptor_);
}

void Box::Put() {
  const uint64_t one = 1;
  if (write(descriptor_, &one, sizeof(one)) != sizeof(one)) Die("a descriptor can't be written to");
  {
    const std::lock_guard lock(mutex);
    full = true;
  }
  changed.notify_one();
}

bool Box::TakeFromDescriptor() const {
  uint64_t all;
  return read(descriptor_, &all, sizeof(all)) == sizeof(all);
}

}  // namespace foxtive::test
