// Counters, gauges and histograms and their Prometheus text. Thread-safe. metrics.cc has THE list
// of metrics; naming one that is not there stops the program.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace chronos {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();

  void count(std::string_view counter, const Labels& labels = {}, double by = 1);
  void set(std::string_view gauge, double value, const Labels& labels = {});
  void observe(std::string_view histogram, double value, const Labels& labels = {});

  // The text exposition format (version 0.0.4) of everything that was told so far.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chronos
