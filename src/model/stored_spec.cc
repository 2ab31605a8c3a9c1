// A declaration as the store keeps it: the fields of json_codec.cc that were said, and what the API
// does not show.
#include <algorithm>
#include <span>

#include "base/fields.h"
#include "base/silence.h"
#include "model/json_codec.h"

namespace chronos {

// json_codec.cc
std::span<const fields::Field<JobSpec>> spec_fields();
const fields::Silence<JobSpec>& silent_spec();

namespace {

using fields::Field;

bool is_stored(const Field<JobSpec>& field) {
  return field.write != nullptr && field.name != "payload";
}

}  // namespace

std::string encode_spec(const JobSpec& spec) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  for (const auto& field : spec_fields()) {
    if (!is_stored(field) || !silent_spec().breaks(field, spec)) continue;
    writer.key(field.name);
    field.write(writer, spec);
  }
  // What the schedule needs to stay the same for ever.
  const auto anchor = to_micros(spec.schedule.anchor);
  if (anchor != 0) writer.member("anchor_us", anchor);
  if (!spec.schedule.seed.empty()) writer.member("seed", spec.schedule.seed);
  writer.end_object();
  return text;
}

Result<JobSpec> decode_spec(std::string_view text) {
  CHRONOS_TRY(const auto document, json::parse(text));
  const auto table = spec_fields();
  JobSpec spec;
  std::vector<FieldError> problems;
  const fields::Place place(problems);
  for (const auto& [name, value] : document.root().members) {
    if (name == "anchor_us") spec.schedule.anchor = from_micros(value.integer);
    if (name == "seed") spec.schedule.seed = value.string;
    if (value.is(json::Type::null)) continue;
    const auto found = std::ranges::find_if(
        table, [&](const Field<JobSpec>& field) { return field.name == name; });
    if (found != table.end()) found->read(value, spec, place.at(name));
  }
  if (problems.empty()) return spec;
  return fail(Reason::internal, "a stored job cannot be read: " + problems.front().pointer + " " +
                                    problems.front().message);
}

}  // namespace chronos
