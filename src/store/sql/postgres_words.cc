#include "store/sql/postgres_words.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <utility>

namespace chronos::store::sql {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// `alias` of `table` where its key is that of a row: looked up by it. While a table is small the
// planner would think it as well to read it whole; OFFSET 0 keeps it from thinking of it.
void look_up(std::string& sql, const char* table, const char* alias, const std::string& key) {
  const auto join = fmt::format("{} {} ON {}", table, alias, key);
  replace_all(sql, join,
              fmt::format("LATERAL (SELECT {1}.ctid, {1}.* FROM {0} {1} WHERE {2} OFFSET 0) {1}"
                          " ON TRUE",
                          table, alias, key));
}

// The statements were written for the one plan that their tables' keys offer, along a key and from
// row to row; nothing must make the planner think of reading a table and sorting or hashing it,
// however small that is when it plans.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kSettings = {{
    {"search_path", "chronos"},
    {"enable_seqscan", "off"},
    {"enable_hashjoin", "off"},
    {"enable_mergejoin", "off"},
    {"enable_bitmapscan", "off"},
    {"enable_material", "off"},
    {"enable_memoize", "off"},
    {"enable_sort", "off"},
    {"enable_incremental_sort", "off"},
    {"jit", "off"},
    {"max_parallel_workers_per_gather", "0"},  // a page is not worth starting processes for
    {"join_collapse_limit", "1"},
    {"plan_cache_mode", "force_generic_plan"},
    // No time limits that a role may have, but for a node that stops in the middle of its turn or
    // is cut off: the others wait for it.
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_session_timeout", "0"},
    {"idle_in_transaction_session_timeout", "5s"},
    {"tcp_user_timeout", "10s"},
    {"tcp_keepalives_idle", "5s"},
    {"tcp_keepalives_interval", "2s"},
    {"tcp_keepalives_count", "3"},
    {"client_connection_check_interval", "2s"},
}};

}  // namespace

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

Error error_of(const PGresult* result) {
  const auto* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string state = field == nullptr ? "" : field;
  const auto message = fmt::format("the database refused a statement: {} ({})",
                                   trimmed(PQresultErrorMessage(result)), state);
  const auto family = state.substr(0, 2);
  if (state == "53100") {
    return {Reason::store_full, message, "make room on the disk of the database", {}};
  }
  if (state == "25006") {
    return {Reason::store_unavailable,
            message,
            "this server is a standby: name all servers in the URL of the store",
            {}};
  }
  if (family == "22" || family == "23" || family == "26" || family == "42" || family == "XX") {
    return {Reason::internal, message, {}, {}};
  }
  return {Reason::store_unavailable, message, {}, {}};
}

Error lost(const PGconn* connection) {
  return {Reason::store_unavailable,
          "the database cannot be reached: " + trimmed(PQerrorMessage(connection)),
          {},
          {}};
}

std::string as_postgres(std::string_view sql) {
  std::string text(sql);
  // SQLite keeps the order of a CROSS JOIN; here join_collapse_limit keeps that of every join.
  replace_all(text, "CROSS JOIN", "JOIN");
  for (const auto* row : {"d", "e", "r"}) {
    look_up(text, "live", "l",
            fmt::format("l.job = {0}.job AND l.is_held = 0 AND l.run = {0}.run", row));
  }
  look_up(text, "live", "l",
          "l.job = q.job AND l.is_held IN (0, 1) AND l.run = q.run AND l.project = $1");
  look_up(text, "leases", "e", "e.run = l.run");
  look_up(text, "due", "d",
          "d.needs_planning = l.needs_planning AND d.at = l.at AND d.run = l.run");
  look_up(text, "ready", "y",
          "y.kind = l.kind AND y.queue = l.queue AND y.rank = l.rank"
          " AND y.planned_at = l.planned_at AND y.run = l.run");
  // Whether one job has a tag: not by reading all jobs that have it, to be hashed.
  for (const auto* job : {"j.id", "r.job", "l.job"}) {
    const auto asked = fmt::format("AND x.job = {}", job);
    replace_all(text, asked + ")", asked + " OFFSET 0)");
  }
  return text;
}

std::string settings_for(std::string_view is_for_transaction) {
  std::string text = "SELECT";
  for (const auto& [name, value] : kSettings) {
    if (text.back() == ')') text += ',';
    text += fmt::format(" set_config('{}', '{}', {})", name, value, is_for_transaction);
  }
  return text;
}

Result<PostgresOptions> read_postgres_url(const std::string& url) {
  constexpr std::string_view kName = "pooler=";
  const auto query = std::min(url.find('?'), url.size());
  PostgresOptions options{.url = url.substr(0, query)};
  char before = '?';
  for (auto at = query; at < url.size();) {
    const auto end = std::min(url.find('&', at + 1), url.size());
    const auto parameter = std::string_view(url).substr(at + 1, end - at - 1);
    at = end;
    if (!parameter.starts_with(kName)) {
      options.url.append(1, std::exchange(before, '&')).append(parameter);
      continue;
    }
    if (parameter.substr(kName.size()) != "transaction") {
      return fail_field("", "unknown_value", "the URL of the store names a pooler of no known mode",
                        "write pooler=transaction, or leave it out");
    }
    options.is_pooled = true;
  }
  return options;
}

}  // namespace chronos::store::sql
