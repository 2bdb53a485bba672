// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Ref: keeps an object that counts who keeps it, by `Keep(object)` and `LetGo(object)`, of which
// the last one destroys it. One pointer, and there may be millions: a std::shared_ptr is two.
//
// Thread safety: as an int; whether the count is atomic is the object's business.

#ifndef FOXTIVE_LIB_CORE_REF_H_
#define FOXTIVE_LIB_CORE_REF_H_

#include <utility>

namespace foxtive::internal {

template <typename T>
class Ref {
 public:
  Ref() = default;  // keeps none
  explicit Ref(T& object) : object_(&object) { Keep(object); }
  Ref(const Ref& other) : object_(other.object_) {
    if (object_ != nullptr) Keep(*object_);
  }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) LetGo(*object_);
  }

  explicit operator bool() const { return object_ != nullptr; }
  T* get() const { return object_; }
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }

 private:
  T* object_ = nullptr;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_CORE_REF_H_
