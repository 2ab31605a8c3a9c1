// Things that people give a name: calendars and channels. One thread.
#pragma once

#include <string>
#include <string_view>

#include "cli/session.h"

namespace chronos::cli {

// Prints the thing that lies at the path, as JSON.
int get_named(Session& session, const std::string& path);

// Sends the request and says what became of the thing: "closed  blackout  stored".
int change_named(Session& session, const ApiRequest& request, std::string_view done);

}  // namespace chronos::cli
