// Things that people give a name: calendars and channels. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/session.h"

namespace chronos::cli {

// Of --quiet: the names alone, a line each.
void print_names(const Session& session, const std::vector<const json::Value*>& things);

// Prints the thing that lies at the path, as JSON.
int get_named(Session& session, const std::string& path);

// Sends the request and says what became of the thing: "closed  blackout  stored".
int change_named(Session& session, const ApiRequest& request, std::string_view done);

}  // namespace chronos::cli
