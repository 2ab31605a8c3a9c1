// Two nodes on one PostgreSQL database: store() of the conformance suite and other().
#pragma once

#include <memory>
#include <vector>

#include "store/open.h"
#include "store_conformance/store_test.h"
#include "support/postgres_database.h"
#include "support/race.h"

namespace chronos::store {

using test::race;

class NodesTest : public StoreTest {
 protected:
  NodesTest() { open_other(); }

  Store& other() {
    store();  // the database's clock follows the test's
    return *other_;
  }
  void open_other() { other_ = must(open_store(store_.url(), clock_)).store; }
  void close_other() { other_.reset(); }
  Store& node(int number) { return number % 2 == 0 ? store() : other(); }
  template <class C>
  typename C::Answer commit_at_other(C change) {
    return must(commit_and_wait(other(), std::move(change)));
  }

 private:
  std::unique_ptr<Store> other_;
};

}  // namespace chronos::store

#define CHRONOS_OVER_POSTGRES(Fixture)                                    \
  INSTANTIATE_TEST_SUITE_P(Stores, Fixture, testing::Values("postgres:"), \
                           ::chronos::store::name_of_kind)
