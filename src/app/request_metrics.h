// The metrics of the requests that were answered. Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "base/mutex.h"
#include "http/server_options.h"

namespace chronos::app {

class RequestMetrics {
 public:
  explicit RequestMetrics(Metrics& metrics) : metrics_(metrics) {}

  void note(const http::Finished& finished);

 private:
  using ByStatus = std::map<int, Metrics::Counter>;
  Metrics::Counter counter_of(const http::Finished& finished) CHRONOS_REQUIRES(mutex_);

  Metrics& metrics_;
  Mutex mutex_;
  // Each is found once: there are few, and requests are many.
  std::map<std::string, ByStatus, std::less<>> by_route_ CHRONOS_GUARDED_BY(mutex_);
  std::optional<Metrics::Histogram> durations_ CHRONOS_GUARDED_BY(mutex_);
};

}  // namespace chronos::app
