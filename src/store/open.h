// A store's URL → the Store. THE list of stores. Called once, at start-up, and by tests.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "store/committer.h"
#include "store/store.h"

namespace chronos::store {

struct Opened {
  std::unique_ptr<Store> store;
  // Writes a consistent copy of everything to a new file, while the store goes on working. Refused
  // by a store that has nothing to copy from.
  std::function<Result<void>(const std::string& path)> backup_to;
  std::string kind = {};  // "memory", "sqlite", "postgres"
};

// "memory:" (nothing outlives the process), "sqlite:PATH", or "postgres://…" as libpq takes it.
// `clock` must outlive the store.
// Refused: invalid_fields when the URL names no store this program knows; whatever the store says
// when it cannot be opened.
Result<Opened> open_store(const std::string& url, const Clock& clock,
                          CommitterOptions committer = {});

}  // namespace chronos::store
