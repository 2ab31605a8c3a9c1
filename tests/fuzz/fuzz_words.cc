// Any text as one of the small words of the API: keys, ids, cursors, times, durations, roles. What
// is taken is written back as it was, so that no two spellings mean one thing where that matters.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/crypto.h"
#include "base/id.h"
#include "base/time_text.h"
#include "model/access.h"

namespace chronos {
namespace {

void try_ids(std::string_view text) {
  if (const auto job = JobId::parse(text)) CHRONOS_CHECK(job->to_string() == text);
  if (const auto run = RunId::parse(text)) CHRONOS_CHECK(run->to_string() == text);
  const auto cursor = from_base64(text);
  if (!cursor) return;
  CHRONOS_CHECK(from_base64(to_base64(*cursor)) == cursor);
  if (const auto run = RunId::parse(*cursor)) CHRONOS_CHECK(run->to_string() == *cursor);
}

void try_key(std::string_view text) {
  const auto key = key_id_of(text);
  if (!key) return;
  CHRONOS_CHECK(text.starts_with(kKeyPrefix));
  CHRONOS_CHECK(text.substr(kKeyPrefix.size()).starts_with(to_base32(key->uuid)));
}

void try_times(std::string_view text) {
  if (const auto time = parse_timestamp(text)) {
    const auto shown = parse_timestamp(format_timestamp(*time));
    CHRONOS_CHECK(shown.has_value() && *shown <= *time);
    CHRONOS_CHECK(*time - *shown < std::chrono::milliseconds(1));
  }
  if (const auto duration = parse_duration(text)) {
    CHRONOS_CHECK(*duration >= Duration(0));
    CHRONOS_CHECK(parse_duration(format_duration(*duration)) == *duration);
  }
}

void try_text(std::string_view text) {
  try_ids(text);
  try_key(text);
  try_times(text);
  if (const auto role = parse_role(text)) CHRONOS_CHECK(to_string(*role) == text);
}

}  // namespace
}  // namespace chronos

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chronos::try_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
