#include "store/sql/postgres_notices.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <stop_token>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "store/sql/live.h"
#include "store/sql/postgres_handles.h"
#include "store/sql/postgres_words.h"

namespace chronos::store::sql {
namespace {

using std::chrono::milliseconds;

constexpr auto kChannel = "chronos";
constexpr std::string_view kNodes = "nodes";
constexpr std::string_view kWatching = "watching";
constexpr std::string_view kNone = "-";
constexpr milliseconds kLookAgain{1000};
// NOTIFY commits one at a time in the whole server: what is told within this time is told at once.
constexpr milliseconds kTogether{10};
// More different ones are not told one by one.
constexpr std::size_t kWorkMax = 100;
constexpr std::size_t kProjectsMax = 100;

std::optional<std::string_view> next_word(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

// What is to be told, each thing once.
class Untold {
 public:
  void add(const News& news) {
    is_for_nodes_ |= news.is_for_nodes;
    is_watching_ |= news.is_watching;
    for (const auto& work : news.work) {
      if (work.count > 0) work_[{work.project, work.queue}] += work.count;
    }
    for (const auto& touch : news.touched) add(touch);
  }
  void add(const Untold& other) {
    is_for_nodes_ |= other.is_for_nodes_;
    is_watching_ |= other.is_watching_;
    for (const auto& [key, count] : other.work_) work_[key] += count;
    for (const auto& [project, touches] : other.touched_) {
      for (const auto& [key, touch] : touches) add(touch);
    }
  }
  bool empty() const {
    return work_.empty() && touched_.empty() && !is_for_nodes_ && !is_watching_;
  }
  std::vector<std::string> notices() const {
    std::vector<std::string> notices;
    if (is_for_nodes_) notices.push_back(notice_of_nodes());
    for (const auto& [key, count] : work_) {
      if (notices.size() > kWorkMax) break;  // whoever waits asks again by itself, later
      notices.push_back(notice_of({key.first, key.second, count}));
    }
    if (is_watching_) notices.push_back(notice_of_watching());
    std::vector<Touch> touched;
    for (const auto& [project, touches] : touched_) {
      for (const auto& [key, touch] : touches) touched.push_back(touch);
    }
    for (auto rest = std::span<const Touch>(touched); !rest.empty();) {
      const auto piece = rest.first(std::min(rest.size(), kTouchesTogether));
      notices.push_back(notice_of(piece));
      rest = rest.subspan(piece.size());
    }
    return notices;
  }

 private:
  using TouchKey = std::tuple<std::optional<JobId>, std::optional<RunId>, int>;

  // The last of each; of a project of which much was touched one that says so.
  void add(const Touch& touch) {
    if (touched_.size() >= kProjectsMax && !touched_.contains(touch.project)) return;
    auto& touches = touched_[touch.project];
    if (touches.contains({}) && !touch.project.is_nil()) return;
    touches.insert_or_assign({touch.job, touch.run, touch.attempt}, touch);
    if (touches.size() <= kTouchesTogether) return;
    touches.clear();
    touches.emplace(TouchKey{}, Touch{touch.project});
  }

  bool is_for_nodes_ = false;
  bool is_watching_ = false;
  std::map<ProjectId, std::map<TouchKey, Touch>> touched_;
  std::map<std::pair<std::optional<ProjectId>, std::string>, std::int64_t> work_;
};

ConnectionHandle connect(const std::string& url) {
  auto db = open_connection(url, "chronos");
  PQsetNoticeReceiver(db.get(), [](void*, const PGresult*) {}, nullptr);
  return db;
}

class Notices final : public PostgresNotices {
 public:
  Notices(std::string url, std::function<void(News)> heard)
      : url_(std::move(url)), heard_(std::move(heard)) {}
  ~Notices() override {
    thread_.request_stop();
    wake();
    if (thread_.joinable()) thread_.join();
    ::close(woken_);
  }
  Notices(const Notices&) = delete;
  Notices& operator=(const Notices&) = delete;

  Result<void> start() {
    CHRONOS_TRY_VOID(listen());
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    return {};
  }

  void tell(const News& news) override {
    {
      const MutexLock lock(mutex_);
      untold_.add(news);
      if (untold_.empty()) return;
    }
    wake();
  }

 private:
  void wake() const { ::eventfd_write(woken_, 1); }

  Result<void> listen() {
    db_ = connect(url_);
    if (PQstatus(db_.get()) != CONNECTION_OK || !do_it("LISTEN chronos")) {
      return fail(Reason::store_unavailable,
                  std::string("the database cannot be listened to: ") + PQerrorMessage(db_.get()));
    }
    return {};
  }

  bool do_it(const char* statement) {
    const ResultHandle result(PQexec(db_.get(), statement));
    return PQresultStatus(result.get()) == PGRES_COMMAND_OK;
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const bool is_connected = db_ && PQstatus(db_.get()) == CONNECTION_OK;
      if (!is_connected) {
        if (db_) log::warn("the database is not listened to any more");
        db_.reset();
        wait(-1, kLookAgain);
        if (stop.stop_requested()) return;
        if (!listen()) db_.reset();
        heard_({.work = {}, .is_for_nodes = true});
        continue;
      }
      if (send() && !stop.stop_requested()) hear();
    }
  }

  // False: it could not be told. When the connection was lost it is told over the next one.
  bool send() {
    Untold untold;
    {
      const MutexLock lock(mutex_);
      untold = std::exchange(untold_, {});
    }
    if (untold.empty()) return true;
    for (const auto& notice : untold.notices()) {
      const char* const values[] = {kChannel, notice.c_str()};
      const ResultHandle sent(PQexecParams(db_.get(), "SELECT pg_notify($1, $2)", 2, nullptr,
                                           values, nullptr, nullptr, 0));
      if (PQresultStatus(sent.get()) == PGRES_TUPLES_OK) continue;
      if (PQstatus(db_.get()) == CONNECTION_BAD) take_back(std::move(untold));
      return false;
    }
    std::this_thread::sleep_for(kTogether);
    return true;
  }

  // What has come since goes on top.
  void take_back(Untold untold) {
    const MutexLock lock(mutex_);
    untold.add(untold_);
    untold_ = std::move(untold);
  }

  // Waits until others told something or something is to be told.
  void hear() {
    if (const bool is_told = read_notices(); !is_told) wait(PQsocket(db_.get()), milliseconds(-1));
    if (PQconsumeInput(db_.get()) == 0) return;
    read_notices();
  }

  bool read_notices() {
    News all;
    bool is_told = false;
    while (const std::unique_ptr<PGnotify, decltype(&PQfreemem)> notice{PQnotifies(db_.get()),
                                                                        PQfreemem}) {
      is_told = true;
      if (notice->be_pid == PQbackendPID(db_.get())) continue;
      auto news = read_notice(notice->extra);
      if (!news) continue;
      all.is_for_nodes |= news->is_for_nodes;
      all.is_watching |= news->is_watching;
      std::ranges::move(news->work, std::back_inserter(all.work));
      std::ranges::move(news->touched, std::back_inserter(all.touched));
    }
    const bool is_news =
        all.is_for_nodes || all.is_watching || !all.work.empty() || !all.touched.empty();
    if (is_news) heard_(std::move(all));
    return is_told;
  }

  void wait(int socket, milliseconds most) {
    std::array<pollfd, 2> events = {pollfd{woken_, POLLIN, 0}, pollfd{socket, POLLIN, 0}};
    ::poll(events.data(), socket < 0 ? 1 : 2, static_cast<int>(most.count()));
    eventfd_t wakes = 0;
    ::eventfd_read(woken_, &wakes);
  }

  const std::string url_;
  const std::function<void(News)> heard_;
  const int woken_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ConnectionHandle db_;  // the thread's, once it runs
  Mutex mutex_;
  Untold untold_ CHRONOS_GUARDED_BY(mutex_);
  std::jthread thread_;
};

// -- Behind a pooler ------------------------------------------------------------------------------

// The queues in which runs wait for workers, from one to the next along the key of `ready`.
constexpr auto kWaitingQueues =
    "SET LOCAL search_path TO chronos; SET LOCAL enable_seqscan TO off;"
    "WITH RECURSIVE lane AS ((SELECT kind, queue FROM ready WHERE kind BETWEEN 'worker/' AND"
    " 'worker/~' ORDER BY kind, queue LIMIT 1) UNION ALL SELECT n.kind, n.queue FROM lane l,"
    " LATERAL (SELECT kind, queue FROM ready WHERE (kind, queue) > (l.kind, l.queue)"
    " AND kind < 'worker/~' ORDER BY kind, queue LIMIT 1) n)"
    " SELECT kind, queue FROM lane LIMIT 1000";
// How many wait is not asked for: whoever is offered too much takes what there is.
constexpr std::int64_t kSomeRuns = 100;

class Polls final : public PostgresNotices {
 public:
  Polls(std::string url, std::function<void(News)> heard)
      : url_(std::move(url)), heard_(std::move(heard)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Polls() override {
    thread_.request_stop();
    ::eventfd_write(woken_, 1);
    thread_.join();
    ::close(woken_);
  }
  Polls(const Polls&) = delete;
  Polls& operator=(const Polls&) = delete;

  void tell(const News&) override {}

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd woken{woken_, POLLIN, 0};
      ::poll(&woken, 1, static_cast<int>(kLookAgain.count()));
      if (!stop.stop_requested()) heard_({.work = look(), .is_for_nodes = true});
    }
  }

  std::vector<Work> look() {
    if (!db_ || PQstatus(db_.get()) != CONNECTION_OK) db_ = connect(url_);
    const ResultHandle found(PQexec(db_.get(), kWaitingQueues));
    std::vector<Work> work;
    if (PQresultStatus(found.get()) != PGRES_TUPLES_OK) return work;
    for (int row = 0; row < PQntuples(found.get()); ++row) {
      const std::string_view kind = PQgetvalue(found.get(), row, 0);
      const auto project = from_base32(kind.substr(kWorkerLane.size()));
      if (!project) continue;
      work.push_back({ProjectId{*project}, PQgetvalue(found.get(), row, 1), kSomeRuns});
    }
    return work;
  }

  const std::string url_;
  const std::function<void(News)> heard_;
  const int woken_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ConnectionHandle db_;  // the thread's
  std::jthread thread_;
};

}  // namespace

std::string notice_of_nodes() {
  return std::string(kNodes);
}

std::string notice_of(const Work& work) {
  const auto project = work.project ? to_base32(work.project->uuid) : std::string(kNone);
  return "work " + project + " " + work.queue + " " + std::to_string(work.count);
}

std::string notice_of_watching() {
  return std::string(kWatching);
}

std::string notice_of(std::span<const Touch> touched) {
  std::string notice = "touched";
  const auto add = [&](std::string_view word) { notice.append(" ").append(word); };
  for (const auto& touch : touched) {
    add(touch.project.is_nil() ? std::string(kNone) : to_base32(touch.project.uuid));
    add(touch.job ? to_base32(touch.job->uuid) : std::string(kNone));
    add(touch.run ? to_base32(touch.run->uuid) : std::string(kNone));
    if (touch.attempt > 0) {
      add(std::to_string(touch.attempt) + ":" + std::to_string(touch.output_size));
    } else {
      add(touch.state ? to_string(*touch.state) : kNone);
    }
  }
  return notice;
}

namespace {

// An id or none; false: it is neither.
template <class AnyId>
bool read_id(std::string_view word, std::optional<AnyId>& id) {
  if (word == kNone) return true;
  if (const auto uuid = from_base32(word)) id = AnyId{*uuid};
  return id.has_value();
}

template <class Integer>
bool read_number(std::string_view text, Integer& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0;
}

// A state, none, or "attempt:size".
bool read_what(std::string_view word, Touch& touch) {
  if (word == kNone) return true;
  const auto colon = word.find(':');
  if (colon == std::string_view::npos) {
    touch.state = parse_run_state(word);
    return touch.state.has_value();
  }
  return read_number(word.substr(0, colon), touch.attempt) &&
         read_number(word.substr(colon + 1), touch.output_size);
}

std::optional<News> read_touches(std::string_view text) {
  News news;
  while (!text.empty()) {
    const auto project_word = next_word(text);
    const auto job_word = next_word(text);
    const auto run_word = next_word(text);
    const auto what_word = next_word(text);
    if (!project_word || !job_word || !run_word || !what_word) return std::nullopt;
    Touch touch;
    std::optional<ProjectId> project;
    const bool is_right = read_id(*project_word, project) && read_id(*job_word, touch.job) &&
                          read_id(*run_word, touch.run) && read_what(*what_word, touch);
    if (!is_right) return std::nullopt;
    touch.project = project.value_or(ProjectId{});
    news.touched.push_back(touch);
  }
  return news;
}

}  // namespace

std::optional<News> read_notice(std::string_view text) {
  if (text == kNodes) return News{.work = {}, .is_for_nodes = true};
  if (text == kWatching) return News{.work = {}, .is_watching = true};
  const auto kind = next_word(text);
  if (kind == "touched") return read_touches(text);
  if (kind != "work") return std::nullopt;
  const auto project = next_word(text);
  const auto queue = next_word(text);
  const auto count = next_word(text);
  if (!project || !queue || !count || !text.empty()) return std::nullopt;
  Work work{.project = std::nullopt, .queue = std::string(*queue), .count = 0};
  if (!read_id(*project, work.project) || !read_number(*count, work.count)) return std::nullopt;
  return News{.work = {std::move(work)}, .is_for_nodes = false};
}

Result<std::unique_ptr<PostgresNotices>> open_postgres_notices(const PostgresOptions& options,
                                                               std::function<void(News)> heard) {
  if (options.is_pooled) return std::make_unique<Polls>(options.url, std::move(heard));
  auto notices = std::make_unique<Notices>(options.url, std::move(heard));
  CHRONOS_TRY_VOID(notices->start());
  return notices;
}

}  // namespace chronos::store::sql
