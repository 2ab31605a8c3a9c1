// Where notifications go in virtual time: each sending ends some time later, delivered or not, as
// the seed has it. It remembers what arrived, as people would. One thread.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "base/random.h"
#include "notify/channel.h"

namespace chronos::sim {

// What people got; outlives crashes of nodes.
using Arrived = std::set<DeliveryId>;

class SimChannel final : public notify::Channel {
 public:
  SimChannel(const Clock& clock, Rng& rng, Arrived& arrived, const int& failing_permille)
      : clock_(clock), rng_(rng), arrived_(arrived), failing_permille_(failing_permille) {}

  int sendings_max() const override { return 4; }

  void send(const Delivery& delivery, std::move_only_function<void(notify::Sent)> done) override {
    notify::Sent sent;
    if (rng_.chance(failing_permille_)) {
      sent = {notify::Sent::Kind::try_later, "nobody answers", std::nullopt};
    } else {
      arrived_.insert(delivery.id);
    }
    const auto at = clock_.steady() + SteadyTime(rng_.between(1'000, 30'000'000));
    endings_.emplace(at, std::pair(std::move(sent), std::move(done)));
  }

  void stop() override {
    for (auto& [at, ending] : std::exchange(endings_, {})) {
      ending.second({notify::Sent::Kind::interrupted, {}, std::nullopt});
    }
  }

  void finish_due() {
    while (!endings_.empty() && endings_.begin()->first <= clock_.steady()) {
      auto node = endings_.extract(endings_.begin());
      node.mapped().second(std::move(node.mapped().first));
    }
  }

 private:
  const Clock& clock_;
  Rng& rng_;
  Arrived& arrived_;
  const int& failing_permille_;
  std::multimap<SteadyTime, std::pair<notify::Sent, std::move_only_function<void(notify::Sent)>>>
      endings_;
};

}  // namespace chronos::sim
