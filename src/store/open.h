// A store's URL → the Store. THE list of stores. Called once, at start-up, and by tests.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "store/store.h"

namespace chronos::store {

// "memory:" (nothing outlives the process) or "sqlite:PATH". `clock` must outlive the store.
// Refused: invalid_fields when the URL names no store this program knows; whatever the store says
// when it cannot be opened.
Result<std::unique_ptr<Store>> open_store(const std::string& url, const Clock& clock);

}  // namespace chronos::store
