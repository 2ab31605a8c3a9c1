// How the newest runs of a job are answered, by several lists. Private to http/'s *_api.cc.
#pragma once

#include <vector>

#include "base/json.h"
#include "model/run.h"

namespace chronos::http {

// The newest runs of a job, oldest first; `runs` has the newest first. views_api.cc
void write_strip(json::Writer& writer, const std::vector<Run>& runs);
inline constexpr int kStripMax = 50;

}  // namespace chronos::http
