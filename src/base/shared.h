// A large value that its copies share until one of them is edited: to pass it on costs a count.
// Copies may live on different threads; one object belongs to one thread at a time. What was moved
// away may only be assigned to.
#pragma once

#include <memory>
#include <utility>

namespace chronos {

template <class T>
class Shared {
 public:
  Shared() : value_(standard()) {}
  Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  operator const T&() const { return *value_; }

  // A copy of its own, to be changed before this object is copied again; the others keep theirs.
  T& edit() {
    auto own = std::make_shared<T>(*value_);
    value_ = own;
    return *own;
  }

 private:
  static const std::shared_ptr<const T>& standard() {
    static const auto value = std::make_shared<const T>();
    return value;
  }

  std::shared_ptr<const T> value_;
};

}  // namespace chronos
