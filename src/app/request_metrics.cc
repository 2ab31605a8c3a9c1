#include "app/request_metrics.h"

#include "http/api.h"

namespace chronos::app {

void RequestMetrics::note(const http::Finished& finished) {
  const MutexLock lock(mutex_);
  counter_of(finished).count();
  // A stream takes as long as somebody watches.
  if (finished.pattern == http::kEventsPath) return;
  if (!durations_) durations_ = metrics_.histogram("chronos_http_request_duration_seconds");
  durations_->observe(static_cast<double>(finished.duration.count()) / 1e6);
}

Metrics::Counter RequestMetrics::counter_of(const http::Finished& finished) {
  auto route = by_route_.find(finished.pattern);
  if (route == by_route_.end()) route = by_route_.emplace(finished.pattern, ByStatus()).first;
  const auto known = route->second.find(finished.status);
  if (known != route->second.end()) return known->second;
  const auto counter = metrics_.counter(
      "chronos_http_requests_total",
      {{"route", std::string(finished.pattern)}, {"status", std::to_string(finished.status)}});
  return route->second.emplace(finished.status, counter).first->second;
}

}  // namespace chronos::app
