// How an option of a libcurl handle is set, for the clients of this folder.
#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/check.h"
#include "base/clock.h"

namespace chronos::net {

// Ends the process when libcurl does not know the option or has no memory for the value.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  CHRONOS_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

// Of a limit: at least 1, as 0 would mean none.
inline long milliseconds(Duration duration) {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<long>(std::max<std::int64_t>(rounded, 1));
}

}  // namespace chronos::net
