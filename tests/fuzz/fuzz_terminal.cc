// Any bytes as the name or the output of a stranger's job: nothing of what is printed can move a
// cursor, set a title, ring a bell, or is not UTF-8.
#include <cstdint>
#include <regex>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "cli/safe_text.h"

namespace chronos::cli {
namespace {

void check_safe(std::string_view text, std::string_view allowed) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    CHRONOS_CHECK(byte >= 0x20 || allowed.contains(text[i]));
    CHRONOS_CHECK(byte != 0x7f);
    const bool is_c1 =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    CHRONOS_CHECK(!is_c1);
  }
}

// Without the colours, of which there are none but whole ones.
std::string without_colors(const std::string& text) {
  static const std::regex kColor("\x1b\\[[0-9;:]*m");
  return std::regex_replace(text, kColor, "");
}

void try_bytes(std::string_view bytes) {
  const auto line = safe_line(bytes);
  check_safe(line, "");
  CHRONOS_CHECK(safe_line(line) == line);
  check_safe(safe_block(bytes, false), "\n\t");
  if (bytes.size() <= 4096) check_safe(without_colors(safe_block(bytes, true)), "\n\t");
  CHRONOS_CHECK(width_of(cut_to_width(line, 20)) <= 20);
  const auto document = json::parse(bytes);
  if (!document) return;
  const auto safe = safe_json(bytes);
  check_safe(safe, "\n\t\r ");
  CHRONOS_CHECK(json::parse(safe).has_value());
}

}  // namespace
}  // namespace chronos::cli

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chronos::cli::try_bytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
