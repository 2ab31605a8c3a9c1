// What libpq hands out, owned.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace chronos::store::sql {

struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ConnectionHandle = std::unique_ptr<PGconn, CloseConnection>;
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

}  // namespace chronos::store::sql
