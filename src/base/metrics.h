// Counters, gauges and histograms and their Prometheus text. Thread-safe. metrics.cc has THE list
// of metrics; naming one that is not there stops the program.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace chronos {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  // One of them, found once, for what is told often. Lives no longer than the Metrics.
  class Counter {
   public:
    explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
    void count(double by = 1);

   private:
    prometheus::Counter* counter_;
  };
  class Histogram {
   public:
    explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
    void observe(double value);

   private:
    prometheus::Histogram* histogram_;
  };

  Metrics();
  ~Metrics();

  Counter counter(std::string_view name, const Labels& labels = {});
  Histogram histogram(std::string_view name, const Labels& labels = {});

  void count(std::string_view name, const Labels& labels = {}, double by = 1);
  void set(std::string_view gauge, double value, const Labels& labels = {});
  void observe(std::string_view name, double value, const Labels& labels = {});

  // The text exposition format (version 0.0.4) of everything that was told so far.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chronos
