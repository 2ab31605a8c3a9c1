// What every command gets: the terminal, the environment, the flags all commands share, the time;
// and from them a client of the server. One thread.
#pragma once

#include <functional>
#include <string>

#include "app/config.h"
#include "base/clock.h"
#include "base/result.h"
#include "cli/api_client.h"
#include "cli/output.h"

namespace chronos::cli {

struct GlobalFlags {
  std::string server;  // URL
  std::string key;
  std::string key_file;
  std::string ca_file;
  std::string data_dir;
  bool json = false;   // print the API's JSON
  bool quiet = false;  // print ids only
  bool no_color = false;
};

struct Session {
  Terminal& terminal;
  const app::Environment& environment;
  GlobalFlags flags;
  const Clock& clock;
  std::function<void(Duration)> sleep;
};

// The key is that of --key, --key-file, CHRONOS_API_KEY, CHRONOS_KEY_FILE, in this order; else of
// DATA_DIR/admin.key, but only when the server is on this machine or --data-dir was given: the
// administrator's key must not travel to whatever host a URL names.
Result<ApiClient> connect(const Session& session);

// A client without a key, for what is open to all.
Result<ApiClient> connect_without_key(const Session& session);

// A job's path in the API: "/api/jobs/job_…". `reference` is its id, or the key (slug) it was
// declared with, which is looked up.
Result<std::string> job_path(ApiClient& client, const std::string& reference);

bool is_run_id(std::string_view reference);

// The whole of a file, or of stdin for "-".
Result<std::string> read_input(const Session& session, const std::string& path);

// Prints the error and answers its exit code.
int failed(const Session& session, const Error& error, const json::Value* sent = nullptr);

}  // namespace chronos::cli
