#include "store/sql/postgres_handles.h"

#include <array>
#include <cstdlib>

namespace chronos::store::sql {
namespace {

// What libpq is to take where neither the URL nor a service file nor the environment says: a
// variable is the only place that goes behind a service file. Before there is a second thread.
bool set_usual(const char* variable, const char* value) {
  return ::setenv(variable, value, /*overwrite*/ 0) == 0;
}
[[maybe_unused]] const bool kUsualsAreSet =
    set_usual("PGTARGETSESSIONATTRS", "primary") && set_usual("PGCONNECT_TIMEOUT", "5");

}  // namespace

ConnectionHandle open_connection(const std::string& url, const char* application,
                                 const char* target) {
  // The URL comes last but one: what it says goes before these.
  constexpr std::array kNames = {
      "keepalives_idle",  "keepalives_interval",  "keepalives_count",
      "tcp_user_timeout", "target_session_attrs", "fallback_application_name",
      "dbname",           "client_encoding",      static_cast<const char*>(nullptr)};
  const std::array values = {"5",         "2",    "3",
                             "10000",     target, application,
                             url.c_str(), "UTF8", static_cast<const char*>(nullptr)};
  return ConnectionHandle(PQconnectdbParams(kNames.data(), values.data(), /*expand_dbname*/ 1));
}

}  // namespace chronos::store::sql
