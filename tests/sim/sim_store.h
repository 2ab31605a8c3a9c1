// The store under the nodes of a simulated history, committing when it is told to: the reference in
// memory, or the SQL that ships, in an SQLite file in memory. One thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "store/store.h"

namespace chronos::sim {

enum class StoreKind { memory, sqlite };

class SimStore {
 public:
  SimStore(StoreKind kind, const Clock& clock);
  ~SimStore();
  SimStore(const SimStore&) = delete;
  SimStore& operator=(const SimStore&) = delete;

  // Another one after each start_epoch().
  store::Store& operator*() const { return *store_; }
  store::Store* operator->() const { return store_.get(); }

  // Commits all that waits.
  void pump();
  // As after a new start of the only process: what is stored is there, no holder is known.
  void start_epoch();

 private:
  void open_sqlite();

  const Clock& clock_;
  std::filesystem::path directory_;  // empty: the store has no files
  std::unique_ptr<store::Store> store_;
  std::function<bool()> pump_;
  std::function<void()> start_epoch_;
};

}  // namespace chronos::sim
