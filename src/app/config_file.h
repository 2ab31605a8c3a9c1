// The TOML file: every value in it with its path and place. The only file behind which toml++
// stands. Called by config.cc. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/setting_types.h"
#include "base/result.h"

namespace chronos::app {

struct FileEntry {
  std::vector<std::string> path;  // {"server", "listen"}
  Given given;
  int line = 0;  // 1-based; of the key, as is the column
  int column = 0;
};

// The entries in the order of the file; an empty table is an entry too. Fails with one
// field error whose message is "NAME:LINE:COLUMN: …" when it is not TOML.
Result<std::vector<FileEntry>> parse_config_file(std::string_view text, std::string_view name);

// The bytes of a regular file of at most `bytes_max`. Reason::not_found when there is none.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

}  // namespace chronos::app
