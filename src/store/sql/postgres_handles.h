// What libpq hands out, owned; and how it is asked for a connection.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>

namespace chronos::store::sql {

struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ConnectionHandle = std::unique_ptr<PGconn, CloseConnection>;
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

// Blocks until there is one or there is none: PQstatus() says. What `url` says goes before all that
// is set here. Of several servers one of the kind `target` is taken (target_session_attrs of
// libpq); empty: as a service file or PGTARGETSESSIONATTRS says, else the primary.
ConnectionHandle open_connection(const std::string& url, const char* application,
                                 const char* target = "");

}  // namespace chronos::store::sql
