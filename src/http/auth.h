// Who the gate let in, for handlers. auth.cc finds the credentials of a request: Authorization:
// Bearer, X-API-Key, api_key in the query, or where a route allows it api_key in the JSON body; and
// where there is none of these, the cookie of a session.
#pragma once

#include <string>

#include "service/principal.h"

namespace chronos::http {

struct Caller {
  service::Principal principal;
  std::string session = {};  // its secret, when that let it in; empty: a key did
};

}  // namespace chronos::http
