// Any text as JSON, and as the declaration of a job: refused with words, or a bounded tree whose
// text can be read again; and a declaration that is taken is stored and read back as it was.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "model/json_codec.h"

namespace chronos {
namespace {

int depth_of(const json::Value& value) {
  int deepest = 0;
  for (const auto& element : value.elements) deepest = std::max(deepest, depth_of(element));
  for (const auto& member : value.members) deepest = std::max(deepest, depth_of(member.value));
  return deepest + (value.is(json::Type::array) || value.is(json::Type::object) ? 1 : 0);
}

void check_tree(const json::Value& value, std::string_view text) {
  CHRONOS_CHECK(text.find(value.raw) != std::string_view::npos);
  for (const auto& element : value.elements) check_tree(element, value.raw);
  for (const auto& member : value.members) {
    CHRONOS_CHECK(value.find(member.name) == &member.value);  // names are unique
    check_tree(member.value, value.raw);
  }
}

void try_declaration(const json::Value& root, SpecUse use) {
  JobSpec spec;
  spec.name = "before";
  const auto read = read_spec(root, use, SpecRules{}, spec);
  if (!read) {
    CHRONOS_CHECK(!read.error().fields.empty());
    for (const auto& field : read.error().fields) {
      CHRONOS_CHECK(!field.code.empty() && !field.message.empty());
      CHRONOS_CHECK(field.pointer.empty() || field.pointer.front() == '/');
    }
    return;
  }
  const auto stored = encode_spec(spec);
  const auto again = decode_spec(stored);
  CHRONOS_CHECK(again.has_value());
  CHRONOS_CHECK(encode_spec(*again) == stored);
}

void try_text(std::string_view text) {
  const auto document = json::parse(text);
  if (!document) {
    CHRONOS_CHECK(!document.error().message.empty());
    return;
  }
  const auto& root = document->root();
  CHRONOS_CHECK(depth_of(root) <= json::kDepthMax);
  check_tree(root, text);
  CHRONOS_CHECK(json::parse(root.raw).has_value());
  try_declaration(root, SpecUse::submit);
  try_declaration(root, SpecUse::reschedule);
  try_declaration(root, SpecUse::patch);
}

}  // namespace
}  // namespace chronos

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chronos::try_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
