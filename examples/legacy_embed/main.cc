// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Runs the service with devices that misbehave, and reports how it coped. Exit status 1: not well.
// All pauses are a hundredth of what they would be in earnest.
//
//   service_before | service_after  [milliseconds after which a stop counts as hanging: 1000]

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "examples/legacy_embed/devices.h"
#include "examples/legacy_embed/far_end.h"
#include "examples/legacy_embed/service.h"

namespace legacy_embed {
namespace {

constexpr size_t kTooOften = 20;

template <class D>
std::shared_ptr<D> MakeDevice(const char* name, const std::shared_ptr<FarEnd>& far_end) {
  return std::make_shared<D>(name, [far_end] { return far_end->Answer(); });
}

bool Report(bool good, const std::string& text) {
  std::cout << (good ? "good: " : "TROUBLE: ") << text << std::endl;
  return good;
}

bool Demonstrate(std::chrono::milliseconds patience) {
  const auto weights = std::make_shared<FarEnd>(FarEnd::Script{{"12.5\nx3?\n", FarEnd::kIsSilent},
                                                               {"12.6\n", FarEnd::kBreaks},
                                                               {"12.7\n", FarEnd::kIsSilent}});
  const auto codes = std::make_shared<FarEnd>(
      FarEnd::Script{{"4006381\n", FarEnd::kHangsUp}, {"4006382\n", FarEnd::kIsSilent}});
  const auto nobody = std::make_shared<FarEnd>(FarEnd::Script{{"", FarEnd::kRefuses}});
  const auto scale = MakeDevice<Scale>("scale", weights);
  const auto scanner = MakeDevice<Scanner>("scanner", codes);
  const auto spare = MakeDevice<Scanner>("spare scanner", nobody);

  const auto service = MakeService({scale, scanner, spare});
  service->Start();
  // Each meets its fault. Then until all is read, or a device that is off was called too often.
  const auto seen = [&] {
    if (scale->readings() < 3 || scanner->readings() < 1 || nobody->calls() < 1) return false;
    return scanner->readings() == 2 || nobody->calls() >= kTooOften;
  };
  while (!seen()) std::this_thread::sleep_for(std::chrono::milliseconds(1));

  // The scale's line is silent now, so it is in the middle of a read that blocks.
  auto stop = std::async(std::launch::async, [&service] { service->Stop(); });
  const bool in_time = stop.wait_for(patience) == std::future_status::ready;
  weights->HangUp();
  stop.get();

  const bool all = Report(scanner->readings() == 2, std::to_string(scanner->readings()) +
                                                        " of 2 codes came from the scanner");
  const bool calm =
      Report(nobody->calls() < kTooOften, "the spare scanner, which is off, was called " +
                                              std::to_string(nobody->calls()) + " times");
  Report(in_time, in_time ? "the stop ended by itself" : "the stop hung until the scale hung up");
  return all && calm && in_time;
}

}  // namespace
}  // namespace legacy_embed

int main(int argc, char** argv) {
  const std::chrono::milliseconds patience(argc > 1 ? std::atoi(argv[1]) : 1000);
  return legacy_embed::Demonstrate(patience) ? EXIT_SUCCESS : EXIT_FAILURE;
}
