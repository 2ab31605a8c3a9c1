// What nodes tell each other about their commits, over LISTEN and NOTIFY: hints, so that nobody
// need wait for its next look. Used by sql_store.cc.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/committer.h"
#include "store/sql/postgres.h"

namespace chronos::store::sql {

// One line each, and back; nothing when it is not one.
std::string notice_of_nodes();
std::string notice_of(const Work& work);
std::string notice_of_watching();
std::string notice_of(std::span<const Touch> touched);  // at most kTouchesTogether
inline constexpr std::size_t kTouchesTogether = 64;     // a notice has at most 8000 bytes
std::optional<News> read_notice(std::string_view text);

// Owns a connection and a thread. Thread-safe.
class PostgresNotices {
 public:
  virtual ~PostgresNotices() = default;
  // Tells all others, soon; what is told in quick succession is told together.
  virtual void tell(const News& news) = 0;
};

// Calls `heard` on its own thread with what others told. While it cannot listen, and when it can
// again, it calls with a hint for everybody about once a second: something may have been missed.
// Behind a pooler nobody can listen: then it looks for work itself, once a second, and tells
// nobody.
Result<std::unique_ptr<PostgresNotices>> open_postgres_notices(const PostgresOptions& options,
                                                               std::function<void(News)> heard);

}  // namespace chronos::store::sql
