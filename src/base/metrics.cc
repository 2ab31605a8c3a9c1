#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace chronos {
namespace {

struct Description {
  std::string_view name;
  std::string_view help;
};

// THE list of metrics: `chronos_` first, base units, counters end in _total (ux.md §6).
constexpr std::array kCounters = {
    Description{"chronos_runs_total", "Runs that ended, by final state and kind of action."},
    Description{"chronos_attempts_total", "Attempts that ended, by outcome and kind of action."},
    Description{"chronos_http_requests_total", "Requests answered, by route and status."},
    Description{"chronos_instants_total",
                "Instants of schedules that did not run, by state (skipped, missed) and reason."},
    Description{"chronos_clock_steps_total", "Times the wall clock was set, by direction."},
    Description{"chronos_replanned_runs_total",
                "Waiting runs that moved because the time zone database changed."},
};
constexpr std::array kGauges = {
    Description{"chronos_build_info", "1, with the version as a label."},
    Description{"chronos_ready", "1 while jobs are taken, else 0: as GET /readyz."},
    Description{"chronos_jobs", "Jobs stored."},
    Description{"chronos_runs_due", "Runs planned for later."},
    Description{"chronos_runs_ready", "Runs whose instant has come and that wait for a slot."},
    Description{"chronos_runs_limited", "Runs in line for a concurrency key or a rate."},
    Description{"chronos_runs_held", "Runs held back by an earlier run of their job."},
    Description{"chronos_runs_running", "Runs with an attempt under way."},
    Description{"chronos_oldest_ready_seconds", "How long the oldest ready run has waited."},
    Description{"chronos_deliveries_waiting", "Messages waiting to be sent."},
    Description{"chronos_connections", "Open connections to the API."},
    Description{"chronos_event_streams", "Who watches: open streams of GET /api/events."},
};
constexpr std::array kHistograms = {
    Description{"chronos_run_start_lateness_seconds",
                "From the planned instant to the first start."},
    Description{"chronos_http_request_duration_seconds",
                "From complete headers to complete answer."},
};

const prometheus::Histogram::BucketBoundaries kSeconds = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60};

template <class Family, class Builder, class List>
std::map<std::string, Family*, std::less<>> register_all(Builder builder, const List& list,
                                                         prometheus::Registry& registry) {
  std::map<std::string, Family*, std::less<>> families;
  for (const auto& [name, help] : list) {
    auto named = builder();
    families.emplace(name,
                     &named.Name(std::string(name)).Help(std::string(help)).Register(registry));
  }
  return families;
}

template <class Families>
auto& family_of(Families& families, std::string_view name) {
  const auto found = families.find(name);
  CHRONOS_CHECK(found != families.end());
  return *found->second;
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  std::map<std::string, prometheus::Family<prometheus::Counter>*, std::less<>> counters =
      register_all<prometheus::Family<prometheus::Counter>>(prometheus::BuildCounter, kCounters,
                                                            registry);
  std::map<std::string, prometheus::Family<prometheus::Gauge>*, std::less<>> gauges =
      register_all<prometheus::Family<prometheus::Gauge>>(prometheus::BuildGauge, kGauges,
                                                          registry);
  std::map<std::string, prometheus::Family<prometheus::Histogram>*, std::less<>> histograms =
      register_all<prometheus::Family<prometheus::Histogram>>(prometheus::BuildHistogram,
                                                              kHistograms, registry);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::Counter::count(double by) {
  counter_->Increment(by);
}

void Metrics::Histogram::observe(double value) {
  histogram_->Observe(value);
}

Metrics::Counter Metrics::counter(std::string_view name, const Labels& labels) {
  return Counter(family_of(impl_->counters, name).Add(labels));
}

Metrics::Histogram Metrics::histogram(std::string_view name, const Labels& labels) {
  return Histogram(family_of(impl_->histograms, name).Add(labels, kSeconds));
}

void Metrics::count(std::string_view name, const Labels& labels, double by) {
  counter(name, labels).count(by);
}

void Metrics::set(std::string_view gauge, double value, const Labels& labels) {
  family_of(impl_->gauges, gauge).Add(labels).Set(value);
}

void Metrics::observe(std::string_view name, double value, const Labels& labels) {
  histogram(name, labels).observe(value);
}

std::string Metrics::text() const {
  const auto families = impl_->registry.Collect();
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace chronos
