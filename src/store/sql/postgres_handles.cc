#include "store/sql/postgres_handles.h"

#include <array>
#include <cstdlib>

namespace chronos::store::sql {
namespace {

const char* usual_target() {
  return std::getenv("PGTARGETSESSIONATTRS") == nullptr ? "primary" : "";
}

}  // namespace

ConnectionHandle open_connection(const std::string& url, const char* application,
                                 const char* target) {
  // The URL comes last but one: what it says goes before these.
  constexpr std::array kNames = {"connect_timeout",      "keepalives_idle",
                                 "keepalives_interval",  "keepalives_count",
                                 "tcp_user_timeout",     "fallback_application_name",
                                 "target_session_attrs", "dbname",
                                 "client_encoding",      static_cast<const char*>(nullptr)};
  const std::array values = {"5",
                             "5",
                             "2",
                             "3",
                             "10000",
                             application,
                             target == nullptr ? usual_target() : target,
                             url.c_str(),
                             "UTF8",
                             static_cast<const char*>(nullptr)};
  return ConnectionHandle(PQconnectdbParams(kNames.data(), values.data(), /*expand_dbname*/ 1));
}

}  // namespace chronos::store::sql
