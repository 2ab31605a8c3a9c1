#include "model/unique.h"

#include <fmt/format.h>

namespace chronos {
namespace {

std::unexpected<Error> taken(const KeyHolder& holder, std::string_view why) {
  auto refusal = fail(Reason::unique_taken, fmt::format("{} {}", holder.job.id.to_string(), why),
                      "\"on_conflict\": \"keep\" answers that job instead");
  refusal.error().fields.push_back({"/unique/key",
                                    "unique_taken",
                                    fmt::format("is held by {}", holder.job.id.to_string()),
                                    {},
                                    0,
                                    0});
  return refusal;
}

bool has_window(const KeyHolder& holder) {
  const auto& unique = holder.job.spec->unique;
  return unique && unique->holds_while == UniqueWhile::window;
}

}  // namespace

bool holds_key(const KeyHolder& holder, Timestamp now) {
  const auto& unique = holder.job.spec->unique;
  if (!unique) return false;
  switch (unique->holds_while) {
    case UniqueWhile::queued:
      return holder.has_live_run && !holder.has_started;
    case UniqueWhile::running:
      return holder.has_live_run;
    case UniqueWhile::window:
      return now < holder.until;
  }
  return false;
}

Result<UniqueVerdict> judge_unique(const Unique& asked, const KeyHolder& holder, Timestamp now) {
  if (!holds_key(holder, now)) return UniqueVerdict::take;
  switch (asked.on_conflict) {
    case OnConflict::keep:
      return UniqueVerdict::keep;
    case OnConflict::extend:
      return has_window(holder) ? UniqueVerdict::extend : UniqueVerdict::keep;
    case OnConflict::replace:
      if (holder.has_live_run && !holder.has_started) return UniqueVerdict::replace;
      return taken(holder, "holds the unique key and has started: it cannot be replaced");
    case OnConflict::reject:
      break;
  }
  return taken(holder, "holds the unique key");
}

Timestamp window_end(const Unique& unique, Timestamp now) {
  return unique.window ? now + *unique.window : Timestamp{};
}

}  // namespace chronos
