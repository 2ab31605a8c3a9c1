#include "sim_store.h"

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "store/memory_store.h"
#include "store/sql/sql_store.h"

namespace chronos::sim {
namespace {

// A disk has nothing to add to histories in which no power fails.
constexpr auto kInMemory = "/dev/shm";

std::filesystem::path make_directory() {
  const auto parent = std::filesystem::is_directory(kInMemory)
                          ? std::filesystem::path(kInMemory)
                          : std::filesystem::temp_directory_path();
  auto pattern = (parent / "chronos-sim-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  return pattern;
}

}  // namespace

SimStore::SimStore(StoreKind kind, const Clock& clock) : clock_(clock) {
  if (kind == StoreKind::sqlite) {
    directory_ = make_directory();
    start_epoch_ = [this] { open_sqlite(); };
    open_sqlite();
    return;
  }
  const auto options = store::MemoryStoreOptions{.has_own_thread = false};
  auto memory = std::make_unique<store::MemoryStore>(clock_, options);
  pump_ = [store = memory.get()] { return store->pump(); };
  start_epoch_ = [store = memory.get()] { store->start_epoch(); };
  store_ = std::move(memory);
}

SimStore::~SimStore() {
  store_.reset();
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

void SimStore::open_sqlite() {
  store_.reset();
  const auto options = store::SqlStoreOptions{.has_own_thread = false, .readers = 1};
  auto sqlite = store::SqlStore::open((directory_ / "chronos.db").string(), clock_, options);
  if (!sqlite) throw std::runtime_error(sqlite.error().message);
  pump_ = [store = sqlite->get()] { return store->pump(); };
  store_ = std::move(*sqlite);
}

void SimStore::pump() {
  while (pump_()) {
  }
}

void SimStore::start_epoch() {
  start_epoch_();
}

}  // namespace chronos::sim
