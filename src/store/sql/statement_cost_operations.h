// What a store does, one row each, upon the large database of tests/support/large_database.h: the
// list that statement_cost_test.cc measures. A statement that none of these runs fails that test.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "store/sql/apply.h"
#include "store/sql/audited.h"
#include "store/sql/limited.h"
#include "store/sql/reads.h"
#include "store/sql/writer.h"

namespace chronos::store::sql {

struct Desk {
  Reader reader;
  Writer& writer;
};

// Done inside a transaction that is rolled back; what it does may not depend on other operations.
struct Operation {
  std::string name;
  std::function<Result<void>(Desk&)> run;
};

// Whether it went well; what came of it is of no interest here.
template <class T>
Result<void> done(Result<T> result) {
  if (!result) return std::unexpected(std::move(result).error());
  return {};
}

// A change as SqlStore makes it, entry of the audit log included.
template <class C>
Operation change(std::string name, C value) {
  return {std::move(name), [value = std::move(value)](Desk& desk) -> Result<void> {
            CHRONOS_TRY_VOID(apply_audited(desk.writer, value));
            if constexpr (requires { value.now; }) return open_lines(desk.writer, value.now);
            return {};
          }};
}

std::vector<Operation> operations();        // all
std::vector<Operation> list_operations();   // of them, the lists
std::vector<Operation> audit_operations();  // and what the audit log and versions ask for

}  // namespace chronos::store::sql
