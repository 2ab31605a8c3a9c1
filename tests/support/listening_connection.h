// A connection to a database that tells of the statements it is asked for. For tests of store/sql/.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

#include "store/sql/connection.h"

namespace chronos::test {

// Hands everything on to `inner`, which must outlive it; `heard` is told of each statement once.
class ListeningConnection final : public store::sql::Connection {
 public:
  using Heard = std::function<void(const store::sql::Sql&)>;
  ListeningConnection(Connection& inner, Heard heard) : inner_(inner), heard_(std::move(heard)) {}

  Result<store::sql::Statement*> prepare(const store::sql::Sql& sql) override {
    if (seen_.insert(&sql).second) heard_(sql);
    return inner_.prepare(sql);
  }
  Result<void> run_script(const std::string& script) override { return inner_.run_script(script); }
  std::int64_t rows_changed() const override { return inner_.rows_changed(); }
  Result<void> begin() override { return inner_.begin(); }
  Result<void> commit(store::sql::Durable what) override { return inner_.commit(what); }
  bool rollback() override { return inner_.rollback(); }
  Result<std::int64_t> bytes() override { return inner_.bytes(); }

 private:
  Connection& inner_;
  const Heard heard_;
  std::set<const store::sql::Sql*> seen_;
};

}  // namespace chronos::test
