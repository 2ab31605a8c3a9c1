#include "store/committer.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "store/settlement.h"

namespace chronos::store {

bool spoils(const Error& error) {
  return error.code() == ErrorCode::internal || error.code() == ErrorCode::unavailable ||
         error.reason == Reason::store_full;
}

std::vector<Result<Answer>> Transactor::perform_all(std::span<const Operation> batch) {
  std::vector<Result<Answer>> answers;
  answers.reserve(batch.size());
  for (const auto& operation : batch) {
    answers.push_back(perform(operation.change));
    if (!answers.back() && spoils(answers.back().error())) break;
  }
  return answers;
}

namespace {

// What is due later than this a scheduler finds in time by itself.
bool is_for_later(const SubmitJob& submitted) {
  return submitted.first_run && submitted.first_run->at - submitted.now > kLookedAgain;
}

// Whether a change may have given a scheduler or a notifier something to do. What the scheduler
// commits itself comes back to it as an answer; waking it too would keep it awake for ever.
bool gives_work(const Change& change) {
  if (const auto* submitted = std::get_if<SubmitJob>(&change)) return !is_for_later(*submitted);
  if (const auto* settled = std::get_if<SettleRun>(&change)) return !settled->deliveries.empty();
  if (const auto* turn = std::get_if<WorkerTurn>(&change)) {
    return std::ranges::any_of(turn->settled, [](const SettleRun& settled) {
      return !settled.deliveries.empty() || settled.next == RunState::retrying;
    });
  }
  return std::holds_alternative<ReplaceJob>(change) || std::holds_alternative<CancelJob>(change) ||
         std::holds_alternative<RunJob>(change) || std::holds_alternative<Backfill>(change) ||
         std::holds_alternative<CancelRun>(change) || std::holds_alternative<PutCalendar>(change) ||
         std::holds_alternative<AddDeliveries>(change);
}

// Whoever watches says so with each heartbeat, every few seconds; after so much silence it watches
// no more.
constexpr Duration kWatchTime = std::chrono::seconds(15);

const Heartbeat* heartbeat_in(std::span<const Operation> batch) {
  for (const auto& operation : batch) {
    if (const auto* beat = std::get_if<Heartbeat>(&operation.change)) return beat;
  }
  return nullptr;
}

}  // namespace

Committer::Committer(Transactor& transactor, CommitterOptions options)
    : transactor_(transactor), options_(std::move(options)) {}

Committer::~Committer() {
  stop();
}

void Committer::start() {
  thread_ = std::jthread([this] { run(); });
}

void Committer::on_change(std::function<void()> wake) {
  wake_ = std::move(wake);
}

void Committer::on_work(Store::TakeWork take) {
  take_work_ = std::move(take);
}

void Committer::on_touch(Watcher watcher) {
  watcher_ = std::move(watcher);
}

void Committer::enqueue(std::span<Operation> operations) {
  std::optional<Error> refusal;
  {
    const MutexLock lock(mutex_);
    if (is_stopped_) {
      refusal = {Reason::shutting_down, "the server is shutting down", {}, {}};
    } else if (waiting_.size() + operations.size() > options_.queue_max) {
      refusal = {Reason::overloaded, "too many changes are waiting to be stored", {}, {}};
    } else {
      std::ranges::move(operations, std::back_inserter(waiting_));
      arrived_.notify_one();
      return;
    }
  }
  for (auto& operation : operations) operation.done(std::unexpected(*refusal));
}

Committer::Batch Committer::take() {
  const MutexLock lock(mutex_);
  const auto count = std::min(waiting_.size(), options_.batch_max);
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  Batch batch(std::move_iterator(waiting_.begin()), std::move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return batch;
}

void Committer::hear(News news) {
  {
    const MutexLock lock(mutex_);
    if (is_stopped_) return;
    std::ranges::move(news.work, std::back_inserter(heard_.work));
    heard_.is_for_nodes |= news.is_for_nodes;
    heard_.is_watching |= news.is_watching;
    std::ranges::move(news.touched, std::back_inserter(heard_.touched));
  }
  arrived_.notify_one();
}

bool Committer::has_heard() const {
  return heard_.is_for_nodes || !heard_.work.empty() || !heard_.touched.empty();
}

News Committer::take_heard() {
  const MutexLock lock(mutex_);
  return std::exchange(heard_, {});
}

// To the takers in this process.
void Committer::pass_on(News news) {
  if (news.is_for_nodes && wake_) wake_();
  if (!news.touched.empty() && is_watched()) watcher_.tell(std::move(news.touched));
  if (news.work.empty() || !take_work_) return;
  auto taken = take_work_(news.work);
  enqueue(taken);
}

bool Committer::is_watched() const {
  return watcher_.wants && watcher_.wants();
}

// Of an operation that was committed, or is about to be.
void Committer::note_touches(const Operation& operation, const Result<Answer>& answer) {
  if (answer) add_touches(operation.change, *answer, news_.touched);
}

// What others are to be told of a batch beside what it gives them to do.
News Committer::news_for_others(const Batch& batch) {
  News news{.work = news_.work, .is_for_nodes = news_.is_for_nodes};
  if (others_watch_) news.touched = news_.touched;
  const auto* beat = heartbeat_in(batch);
  if (beat == nullptr) return news;
  news.is_watching = is_watched();
  if (!watch_begins_at_) watch_begins_at_ = beat->now;
  if (beat->now - *watch_begins_at_ >= kWatchTime) others_watch_ = false;
  return news;
}

bool Committer::pump() {
  auto heard = take_heard();
  if (heard.is_watching) {
    others_watch_ = true;
    watch_begins_at_.reset();
  }
  pass_on(std::move(heard));
  auto batch = take();
  if (batch.empty()) return false;
  give_back(batch);
  const bool is_work = std::ranges::any_of(
      batch, [](const Operation& operation) { return gives_work(operation.change); });
  commit_together(batch);
  news_.is_for_nodes |= is_work;
  transactor_.tell_others(news_for_others(batch));
  pass_on(std::exchange(news_, {}));
  return true;
}

void Committer::collect_news() {
  auto news = transactor_.take_news();
  std::ranges::move(news.work, std::back_inserter(news_.work));
  news_.is_for_nodes |= news.is_for_nodes;
}

// Whoever waits for what this transaction makes ready takes it in the same one.
void Committer::hand_out(Batch& batch, std::vector<Result<Answer>>& answers) {
  collect_news();
  if (news_.work.empty() || !take_work_) return;
  for (auto& operation : take_work_(news_.work)) {
    answers.push_back(transactor_.perform(operation.change));
    batch.push_back(std::move(operation));
  }
  std::erase_if(news_.work, [](const Work& work) { return work.count <= 0; });
}

void Committer::run() {
  while (true) {
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !has_heard() && !is_stopped_) arrived_.wait(mutex_);
      if (waiting_.empty() && is_stopped_) return;
    }
    pump();
  }
}

void Committer::commit_together(Batch& batch) {
  if (const auto begun = transactor_.begin(); !begun) return fail_all(batch, begun.error());
  const auto is_spoilt = [](const auto& answer) { return !answer && spoils(answer.error()); };
  auto answers = transactor_.perform_all(batch);
  if (std::ranges::any_of(answers, is_spoilt)) {
    transactor_.rollback();
    return commit_one_by_one(batch);
  }
  hand_out(batch, answers);
  if (std::ranges::any_of(answers, is_spoilt)) {
    transactor_.rollback();
    return commit_one_by_one(batch);
  }
  if (const auto committed = transactor_.commit(); !committed) {
    if (committed.error().reason == Reason::unknown_commit) {
      for (const auto& answer : answers) {
        if (answer) note_unknown(*answer);
      }
      fail_all(batch, committed.error());
      return die(committed.error());
    }
    // What did not fit together may fit alone: small changes get through on a full disk.
    if (batch.size() > 1) return commit_one_by_one(batch);
    return fail_all(batch, committed.error());
  }
  const bool is_touch_told = is_watched() || others_watch_;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (is_touch_told) note_touches(batch[i], answers[i]);
    batch[i].done(std::move(answers[i]));
  }
}

void Committer::commit_one_by_one(Batch& batch) {
  news_ = {};
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto& operation = batch[i];
    // A database that cannot be reached takes seconds to say so: it is not asked for each change.
    if (const auto begun = transactor_.begin(); !begun) {
      for (auto j = i; j < batch.size(); ++j) batch[j].done(std::unexpected(begun.error()));
      return;
    }
    auto answer = transactor_.perform(operation.change);
    if (!answer && spoils(answer.error())) {
      transactor_.rollback();
      operation.done(std::move(answer));
      continue;
    }
    if (const auto committed = transactor_.commit(); !committed) {
      if (committed.error().reason == Reason::unknown_commit && options_.ends_at_unknown_commit) {
        for (auto j = i; j < batch.size(); ++j) batch[j].done(std::unexpected(committed.error()));
        return die(committed.error());
      }
      if (committed.error().reason == Reason::unknown_commit && answer) note_unknown(*answer);
      operation.done(std::unexpected(committed.error()));
      continue;
    }
    collect_news();
    if (is_watched() || others_watch_) note_touches(operation, answer);
    operation.done(std::move(answer));
  }
}

void Committer::fail_all(Batch& batch, const Error& error) {
  for (auto& operation : batch) operation.done(std::unexpected(error));
}

// Whoever claimed is told that nobody knows, so nobody would ever settle what it may hold now.
void Committer::note_unknown(const Answer& answer) {
  const auto* claimed = std::get_if<ClaimRuns::Answer>(&answer);
  if (const auto* turn = std::get_if<WorkerTurn::Answer>(&answer)) claimed = &turn->claimed;
  if (claimed == nullptr) return;
  for (const auto& run : *claimed) to_give_back_.push_back(handed_back(run, run.started_at));
}

// Before anything else, and until the store has taken it.
void Committer::give_back(Batch& batch) {
  if (to_give_back_.empty()) return;
  Batch first;
  for (auto& change : std::exchange(to_give_back_, {})) {
    const auto again = [this, change](const Result<SettleRun::Answer>& settled) {
      if (!settled && spoils(settled.error())) to_give_back_.push_back(change);
    };
    first.push_back(make_operation(std::move(change), again));
  }
  std::ranges::move(batch, std::back_inserter(first));
  batch = std::move(first);
}

void Committer::die(const Error& error) {
  if (!options_.ends_at_unknown_commit) return;
  std::deque<Operation> rest;
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
    if (std::exchange(is_dead_, true)) return;
    rest = std::exchange(waiting_, {});
  }
  for (auto& operation : rest) operation.done(std::unexpected(error));
  if (options_.on_fatal) options_.on_fatal(error);
}

void Committer::stop() {
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
  }
  arrived_.notify_all();
  if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id()) thread_.join();
  while (pump()) {
  }
}

}  // namespace chronos::store
