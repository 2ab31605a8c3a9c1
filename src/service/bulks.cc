#include "service/bulks.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include "base/log.h"

namespace chronos::service {
namespace {

constexpr std::size_t kSample = 20;
constexpr int kPagesMax = 500;  // of what matches; kBulkMax are half as many when all are full
constexpr int kOpenMax = 100;   // that are looked at for one to do
constexpr int kRecordTries = 5;
// Whoever works on one keeps others from it for so long; after a crash it rests for as long.
constexpr Duration kTaken = std::chrono::seconds(5);
constexpr Duration kPause = std::chrono::seconds(60);  // nothing to do
constexpr Duration kStoreFails = std::chrono::seconds(1);

bool is_of_runs(const BulkRequest& request) {
  if (!request.ids.empty()) return RunId::parse(request.ids.front()).has_value();
  return request.runs.has_value();
}

Result<void> check_request(const BulkRequest& request) {
  const int given = (request.jobs ? 1 : 0) + (request.runs ? 1 : 0) + (request.ids.empty() ? 0 : 1);
  if (given != 1) {
    return fail_field("", "one_of", "give one of jobs, runs and ids",
                      "{} as filter means all of them");
  }
  if (request.ids.size() > kBulkMax) {
    return fail_field("/ids", "too_long", fmt::format("at most {} are allowed", kBulkMax));
  }
  const bool of_runs = is_of_runs(request);
  for (std::size_t i = 0; i < request.ids.size(); ++i) {
    const auto& id = request.ids[i];
    if (of_runs ? RunId::parse(id).has_value() : JobId::parse(id).has_value()) continue;
    return fail_field(fmt::format("/ids/{}", i), "bad_id",
                      fmt::format("is no id of a {}", of_runs ? "run" : "job"),
                      "ids of jobs, or ids of runs: not both");
  }
  const bool needs_runs = request.action == BulkAction::retry;
  const bool needs_jobs = request.action == BulkAction::pause ||
                          request.action == BulkAction::resume || request.action == BulkAction::run;
  if ((needs_runs && !of_runs) || (needs_jobs && of_runs)) {
    return fail_field(
        "/action", "not_applicable",
        fmt::format("{} is for {}", to_string(request.action), needs_runs ? "runs" : "jobs"));
  }
  return {};
}

std::unexpected<Error> too_many() {
  return fail_field("", "too_many",
                    fmt::format("more than {} match, or they lie too far apart to be found in one "
                                "request: that is the most of one bulk operation",
                                kBulkMax),
                    "narrow the filter: a tag, a name, a time");
}

// The store could not say: the thing was perhaps not even looked at.
bool is_for_later(const Error& error) {
  using enum Reason;
  return error.reason == unknown_commit || error.reason == shutting_down ||
         error.reason == store_unavailable || error.reason == store_full ||
         error.reason == overloaded;
}

}  // namespace

struct Bulks::Picked {
  std::vector<Uuid> items;
  std::vector<BulkSample> sample;

  void add(Uuid id, std::string text, std::string name) {
    items.push_back(id);
    if (sample.size() < kSample) sample.push_back({std::move(text), std::move(name)});
  }
};

struct Bulks::Outcome {
  Uuid item;
  std::optional<Error> error;  // nothing: it went well
};

Bulks::Bulks(store::Store& store, const Clock& clock, IdSource& ids, Jobs& jobs, Runs& runs,
             std::function<void(const Bulk&)> on_moved)
    : store_(store),
      clock_(clock),
      ids_(ids),
      jobs_(jobs),
      runs_(runs),
      on_moved_(std::move(on_moved)) {}

// -- Asking --------------------------------------------------------------------------------------

namespace {

// Calls `each(row)` for all that the filter lets through, page by page; false when there are too
// many, or too much would have to be looked at to find them: a page looks at a bounded number.
template <class Filter, class List, class Each>
Result<bool> for_all(Filter filter, List list, Each each) {
  filter.limit = kPageMax;
  std::size_t count = 0;
  for (int pages = 0; pages < kPagesMax; ++pages) {
    CHRONOS_TRY(const auto page, list(filter));
    for (const auto& row : page.rows) {
      if (++count > kBulkMax) return false;
      each(row);
    }
    if (!page.has_more) return true;
    filter.after = page.last;
  }
  return false;
}

}  // namespace

Result<Bulks::Picked> Bulks::pick(const Principal& who, const BulkRequest& request) const {
  Picked picked;
  std::set<Uuid> known;
  for (const auto& text : request.ids) {
    const auto run = RunId::parse(text);
    const auto id = run ? run->uuid : JobId::parse(text)->uuid;
    if (known.insert(id).second) picked.add(id, text, {});
  }
  bool is_whole = true;
  if (request.jobs) {
    const auto list = [&](const JobFilter& filter) { return jobs_.list(who, filter); };
    CHRONOS_TRY(is_whole, for_all(*request.jobs, list, [&](const Job& job) {
                  picked.add(job.id.uuid, job.id.to_string(), job.spec->name);
                }));
  }
  if (request.runs) {
    const auto list = [&](const RunFilter& filter) { return runs_.list(who, filter); };
    CHRONOS_TRY(is_whole, for_all(*request.runs, list, [&](const Run& run) {
                  picked.add(run.id.uuid, run.id.to_string(), run.job_name);
                }));
  }
  if (!is_whole) return too_many();
  return picked;
}

// Of a run: its job's.
Result<std::string> Bulks::name_of(const Principal& who, const std::string& id) const {
  if (const auto run = RunId::parse(id)) {
    CHRONOS_TRY(auto found, runs_.find(who, *run));
    return std::move(found.job_name);
  }
  CHRONOS_TRY(auto found, jobs_.find(who, *JobId::parse(id)));
  return found.spec->name;
}

// Those that were asked for by id. What is not there has no name, and will fail.
Result<void> Bulks::name_all(const Principal& who, std::vector<BulkSample>& sample) const {
  for (auto& [id, name] : sample) {
    if (!name.empty()) continue;
    auto found = name_of(who, id);
    if (found) {
      name = std::move(*found);
    } else if (found.error().reason != Reason::not_found) {
      return std::unexpected(found.error());
    }
  }
  return {};
}

Result<BulkReply> Bulks::create(const Principal& who, const BulkRequest& request,
                                const RequestFacts& facts) {
  CHRONOS_TRY_VOID(check_request(request));
  CHRONOS_TRY(auto picked, pick(who, request));
  const auto matches = std::ssize(picked.items);
  if (request.dry_run) {
    CHRONOS_TRY_VOID(name_all(who, picked.sample));
    return BulkReply{.bulk = {}, .matches = matches, .sample = std::move(picked.sample)};
  }
  const auto now = clock_.now();
  Bulk bulk;
  bulk.id = ids_.make<BulkId>();
  bulk.project = who.project;
  bulk.by = who.key;
  bulk.action = request.action;
  bulk.is_of_runs = is_of_runs(request);
  bulk.selection = request.selection;
  bulk.total = matches;
  bulk.created_at = now;
  bulk.starts_at = now + kBulkUndo;
  bulk.taken_until = now;
  CHRONOS_TRY(
      auto answer,
      commit_and_wait(store_, store::PutBulk{.bulk = std::move(bulk),
                                             .items = std::move(picked.items),
                                             .idempotency = idempotency_of(who, facts, now),
                                             .by = author_of(who, ids_, now, "bulk.create")}));
  wake_();
  on_moved_(answer.bulk);
  return BulkReply{.bulk = std::move(answer.bulk),
                   .matches = matches,
                   .sample = {},
                   .is_replay = answer.is_replay};
}

Result<Bulk> Bulks::find(const Principal& who, BulkId bulk) const {
  return store_.find_bulk(who.project, bulk);
}

Result<std::vector<Bulk>> Bulks::list(const Principal& who, std::optional<BulkId> after,
                                      int limit) const {
  return store_.list_bulks(who.project, after, limit);
}

Result<Bulk> Bulks::cancel(const Principal& who, BulkId id) {
  for (int tries_left = kRecordTries;; --tries_left) {
    CHRONOS_TRY(auto bulk, store_.find_bulk(who.project, id));
    if (bulk.is_over()) return bulk;
    const auto now = clock_.now();
    bulk.status = BulkStatus::cancelled;
    bulk.ended_at = now;
    auto answer = commit_and_wait(
        store_, store::MoveBulk{std::move(bulk), author_of(who, ids_, now, "bulk.cancel")});
    if (answer) {
      on_moved_(answer->bulk);
      return std::move(answer->bulk);
    }
    if (answer.error().reason != Reason::version_mismatch) return std::unexpected(answer.error());
    if (tries_left == 0) {
      return fail(Reason::state_conflict, "it moves on all the time: try again");
    }
  }
}

// -- Doing ---------------------------------------------------------------------------------------

Timestamp Bulks::step() {
  const auto now = clock_.now();
  if (is_stopping_) return now + kPause;
  auto open = store_.open_bulks(kOpenMax);
  if (!open) {
    log::warn("bulk operations cannot be read", {{"error", open.error().message}});
    return now + kStoreFails;
  }
  auto next = now + kPause;
  for (auto& bulk : *open) {
    const auto at = std::max(bulk.starts_at, bulk.taken_until);
    if (at > now) {
      next = std::min(next, at);
      continue;
    }
    return advance(std::move(bulk)) ? now : now + kStoreFails;
  }
  return next;
}

// Who asked for it. The key may have been revoked since: what was asked for is done all the same.
Result<Principal> Bulks::author(const Bulk& bulk) const {
  CHRONOS_TRY(const auto key, store_.find_key(bulk.by));
  CHRONOS_TRY(const auto project, store_.find_project(bulk.project));
  return Principal{
      .key = key.id, .project = bulk.project, .project_name = project.name, .role = key.role};
}

// False when the store could not take it: again later.
bool Bulks::advance(Bulk bulk) {
  // Taken first, so that of several nodes one does the step.
  bulk.status = BulkStatus::running;
  bulk.taken_until = clock_.now() + kTaken;
  auto taken = commit_and_wait(store_, store::MoveBulk{std::move(bulk)});
  if (!taken) return taken.error().reason == Reason::version_mismatch;
  bulk = std::move(taken->bulk);
  const auto who = author(bulk);
  const auto items = store_.bulk_items(bulk.id, bulk.position(), kBulkStep);
  if (!who || !items) return false;
  const auto outcomes = act(bulk, *who, *items);
  const auto recorded = record(std::move(bulk), outcomes);
  if (!recorded) return false;
  on_moved_(*recorded);
  return outcomes.size() == items->size();
}

// What the things came to, in their order, up to the first that has to be tried again later.
std::vector<Bulks::Outcome> Bulks::act(const Bulk& bulk, const Principal& who,
                                       const std::vector<Uuid>& items) {
  std::vector<std::future<Result<bool>>> answers;
  for (const auto item : items) {
    auto promise = std::make_shared<std::promise<Result<bool>>>();
    answers.push_back(promise->get_future());
    act_on(bulk, who, item, [promise](Result<bool> done) { promise->set_value(std::move(done)); });
  }
  std::vector<Outcome> outcomes;
  bool goes_on = true;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto answer = answers[i].get();
    goes_on = goes_on && (answer || !is_for_later(answer.error()));
    if (!goes_on) continue;
    outcomes.push_back({items[i], answer ? std::nullopt : std::optional(answer.error())});
  }
  return outcomes;
}

void Bulks::act_on(const Bulk& bulk, const Principal& who, Uuid item, Done<bool> done) {
  // No Idempotency-Key of a user has a space. Again the same answer, if this is done twice.
  RequestFacts facts;
  if (bulk.action == BulkAction::run || bulk.action == BulkAction::retry) {
    facts.idempotency_key = fmt::format("{} {}", bulk.id.to_string(), JobId{item}.to_string());
    facts.fingerprint = sha256(facts.idempotency_key);
  }
  const auto then = [&]<class T>() {
    return [done = std::move(done)](const Result<T>& answer) mutable {
      answer ? done(true) : done(std::unexpected(answer.error()));
    };
  };
  const JobId job{item};
  const RunId run{item};
  switch (bulk.action) {
    case BulkAction::cancel:
      if (bulk.is_of_runs) return runs_.cancel(who, run, then.template operator()<RunReply>());
      return jobs_.cancel(who, job, false, facts, then.template operator()<JobReply>());
    case BulkAction::pause:
      return jobs_.pause(who, job, {.type = json::Type::object}, facts,
                         then.template operator()<JobReply>());
    case BulkAction::resume:
      return jobs_.resume(who, job, facts, then.template operator()<JobReply>());
    case BulkAction::run:
      return jobs_.run_now(who, job, facts, then.template operator()<RunReply>());
    case BulkAction::retry:
      return runs_.retry(who, run, facts, then.template operator()<RunReply>());
  }
}

// Writes down how far it came. It may have been cancelled meanwhile: then it stays so.
Result<Bulk> Bulks::record(Bulk bulk, const std::vector<Outcome>& outcomes) {
  for (const auto& [item, error] : outcomes) {
    if (!error) {
      ++bulk.done;
      continue;
    }
    ++bulk.failed_count;
    if (bulk.failed.size() == kBulkFailuresMax) continue;
    bulk.failed.push_back({bulk.is_of_runs ? RunId{item}.to_string() : JobId{item}.to_string(),
                           std::string(to_string(error->reason)), error->message});
  }
  bulk.taken_until = clock_.now();
  if (bulk.position() >= bulk.total) {
    bulk.status = BulkStatus::done;
    bulk.ended_at = bulk.taken_until;
  }
  for (int tries_left = kRecordTries;; --tries_left) {
    auto answer = commit_and_wait(store_, store::MoveBulk{bulk});
    if (answer) return std::move(answer->bulk);
    if (answer.error().reason != Reason::version_mismatch || tries_left == 0) {
      return std::unexpected(answer.error());
    }
    CHRONOS_TRY(const auto stored, store_.find_bulk(bulk.project, bulk.id));
    if (stored.status == BulkStatus::cancelled) {
      bulk.status = stored.status;
      bulk.ended_at = stored.ended_at;
    }
    bulk.step = stored.step;
  }
}

}  // namespace chronos::service
