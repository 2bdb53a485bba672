// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the service talks to: devices that send lines of text, and the hierarchy of classes that
// understand them. Reading blocks.
//
// Thread safety: one thread at a time, except `Disconnect` and `readings`.

#ifndef FOXTIVE_EXAMPLES_LEGACY_EMBED_DEVICES_H_
#define FOXTIVE_EXAMPLES_LEGACY_EMBED_DEVICES_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

namespace legacy_embed {

class Device {
 public:
  // Makes a connection to the device: a socket. Throws if there is none.
  using Dial = std::function<int()>;

  Device(std::string name, Dial dial);
  virtual ~Device();

  const std::string& name() const { return name_; }
  int readings() const { return readings_; }  // lines that were understood

  void Connect();  // throws
  void Serve();    // until the device hangs up; throws if the line breaks or cannot be understood

  // For good: `Serve` returns, also from a connection that is being made just now.
  void Disconnect();

 private:
  virtual void OnLine(const std::string& line) = 0;

  const std::string name_;
  const Dial dial_;
  std::atomic<int> readings_ = 0;
  std::mutex mutex_;
  int socket_ = -1;            // written under mutex_, by whoever reads from it
  bool disconnected_ = false;  // guarded by mutex_
};

class Scale : public Device {
 public:
  using Device::Device;

 private:
  void OnLine(const std::string& line) override;
};

class Scanner : public Device {
 public:
  using Device::Device;

 private:
  void OnLine(const std::string& line) override;
};

}  // namespace legacy_embed

#endif  // FOXTIVE_EXAMPLES_LEGACY_EMBED_DEVICES_H_
