#include "support/store_factory.h"

#include <cstdlib>
#include <sstream>

#include "store/memory_store.h"
#include "store/open.h"
#include "support/postgres_database.h"
#include "support/print.h"

namespace chronos::test {
namespace {

constexpr auto kKinds = "memory: sqlite:";

std::filesystem::path make_directory() {
  auto pattern = (std::filesystem::temp_directory_path() / "chronos-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  return pattern;
}

}  // namespace

std::vector<std::string> store_kinds() {
  const auto* chosen = std::getenv("CHRONOS_TEST_STORES");
  std::istringstream words(chosen != nullptr ? chosen : kKinds);
  std::vector<std::string> kinds;
  for (std::string word; words >> word;) kinds.push_back(word);
  return kinds;
}

TestStore::TestStore(const std::string& kind, const Clock& clock) : clock_(clock), url_(kind) {
  if (kind == "sqlite:") {
    directory_ = make_directory();
    url_ += (directory_ / "chronos.db").string();
  }
  if (kind == "postgres:") {
    database_ = std::make_unique<PostgresDatabase>();
    url_ = database_->url();
  }
  open();
}

TestStore::~TestStore() {
  store_.reset();
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

store::Store* TestStore::operator->() const {
  if (database_) database_->set_steady(clock_.steady());
  return store_.get();
}

void TestStore::reopen() {
  if (auto* memory = dynamic_cast<store::MemoryStore*>(store_.get())) return memory->start_epoch();
  if (database_) database_->set_steady(clock_.steady());
  store_.reset();
  open();
}

void TestStore::open() {
  store_ = must(store::open_store(url_, clock_)).store;
}

}  // namespace chronos::test
