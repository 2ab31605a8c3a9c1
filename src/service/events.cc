#include "service/events.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/crypto.h"
#include "base/json.h"

namespace chronos::service {
namespace {

constexpr std::size_t kEpochBytes = 6;
constexpr std::size_t kKeptOverhead = 100;  // of one kept event, beside its text

std::string new_epoch() {
  return to_hex(random_bytes(kEpochBytes));
}

}  // namespace

Events::Events(const Clock& clock, EventsOptions options)
    : clock_(clock), options_(options), epoch_(new_epoch()) {}

Events::~Events() {
  stop();
}

// -- What happens ---------------------------------------------------------------------------------

void Events::add(Changes& changes, const store::Touch& touch) {
  if (touch.project.is_nil()) {  // goes to every project: no id may go with it
    changes.has_queued = true;
    return;
  }
  if (!touch.job && !touch.run) changes.is_much = true;
  if (changes.is_much) return;
  if (touch.job) changes.jobs.insert(*touch.job);
  if (touch.run) changes.runs.insert_or_assign(*touch.run, Changes::State{touch.job, touch.state});
  if (changes.jobs.size() + changes.runs.size() <= kEventIdsMax) return;
  changes = {};
  changes.is_much = true;
}

void Events::note_output(const store::Touch& touch) {
  const bool is_followed = std::ranges::any_of(subscribers_, [&](const auto& subscriber) {
    return subscriber->who.project == touch.project &&
           subscriber->stream.followed.contains(*touch.run);
  });
  if (!is_followed) return;
  outputs_.insert_or_assign(*touch.run, Output{touch.project, touch.attempt, touch.output_size});
}

void Events::touch(const std::vector<store::Touch>& touches) {
  if (!is_watched_ || touches.empty()) return;
  {
    const MutexLock lock(mutex_);
    if (is_stopped_) return;
    const bool is_first = changes_.empty() && outputs_.empty();
    for (const auto& each : touches) {
      each.attempt > 0 ? note_output(each) : add(changes_[each.project], each);
    }
    if (!is_first && outputs_.empty()) return;  // it is awaited already
    has_news_ = true;
  }
  happened_.notify_one();
}

void Events::tell(const Bulk& bulk) {
  if (!is_watched_) return;
  {
    const MutexLock lock(mutex_);
    if (is_stopped_) return;
    bulks_.insert_or_assign(
        bulk.id, Progress{bulk.project, bulk.done, bulk.failed_count, bulk.total, bulk.status});
    has_news_ = true;
  }
  happened_.notify_one();
}

std::string Events::data_of(const Changes& changes) {
  std::string data;
  json::Writer writer(data);
  writer.begin_object();
  if (changes.is_much) {
    writer.key("all").boolean(true).end_object();
    return data;
  }
  writer.key("jobs").begin_array();
  for (const auto job : changes.jobs) writer.string(job.to_string());
  writer.end_array().key("runs").begin_array();
  for (const auto& [run, known] : changes.runs) {
    writer.begin_object().member("id", run.to_string()).key("job");
    known.job ? writer.string(known.job->to_string()) : writer.null();
    writer.key("state");
    known.state ? writer.string(to_string(*known.state)) : writer.null();
    writer.end_object();
  }
  writer.end_array();
  if (changes.has_queued) writer.key("queued").boolean(true);
  writer.end_object();
  return data;
}

// -- Telling --------------------------------------------------------------------------------------

std::string Events::id_of(std::uint64_t number) const {
  return epoch_ + "-" + std::to_string(number);
}

void Events::keep(ProjectId project, std::string_view name, std::string data) {
  kept_.push_back({++last_number_, project, std::string(name), std::move(data)});
  kept_bytes_ += kept_.back().data.size() + kKeptOverhead;
  tell_kept(kept_.back());
  while (kept_bytes_ > options_.kept_bytes_max) {
    kept_bytes_ -= kept_.front().data.size() + kKeptOverhead;
    kept_.pop_front();
  }
}

void Events::tell_kept(const Kept& kept) {
  const auto id = id_of(kept.number);
  for (const auto& subscriber : subscribers_) {
    if (!kept.project.is_nil() && kept.project != subscriber->who.project) continue;
    if (subscriber->is_over) continue;
    subscriber->is_over = !subscriber->stream.send({kept.name, kept.data, id});
  }
}

void Events::tell_outputs() {
  for (const auto& [run, output] : std::exchange(outputs_, {})) {
    std::string data;
    json::Writer writer(data);
    writer.begin_object().member("run", run.to_string()).member("attempt", output.attempt);
    writer.member("size", output.size).end_object();
    for (const auto& subscriber : subscribers_) {
      const bool is_followed =
          subscriber->who.project == output.project && subscriber->stream.followed.contains(run);
      if (!is_followed || subscriber->is_over) continue;
      subscriber->is_over = !subscriber->stream.send({"output", data, ""});
    }
  }
}

void Events::tell_changes() {
  for (const auto& [project, changes] : std::exchange(changes_, {})) {
    keep(project, "change", data_of(changes));
  }
}

void Events::tell_bulks() {
  for (const auto& [id, progress] : std::exchange(bulks_, {})) {
    std::string data;
    json::Writer writer(data);
    writer.begin_object().member("id", id.to_string()).member("done", progress.done);
    writer.member("failed_count", progress.failed_count).member("total", progress.total);
    writer.member("status", to_string(progress.status)).end_object();
    keep(progress.project, "bulk", std::move(data));
  }
}

// Everything after `last_id`; when some of that is not kept, that all is to be read again.
void Events::catch_up(Subscriber& subscriber) {
  auto& stream = subscriber.stream;
  const auto send = [&](const Event& event) {
    if (!subscriber.is_over) subscriber.is_over = !stream.send(event);
  };
  const std::string_view last = stream.last_id;
  const auto prefix = epoch_ + "-";
  std::uint64_t number = 0;
  const auto digits = last.substr(std::min(prefix.size(), last.size()));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_ours = last.starts_with(prefix) && error == std::errc() &&
                       end == digits.data() + digits.size() && number <= last_number_;
  const auto oldest = last_number_ + 1 - kept_.size();
  if (!is_ours || number + 1 < oldest) {
    return send({last.empty() ? "" : "resync", last.empty() ? "" : "{}", id_of(last_number_)});
  }
  for (const auto& kept : kept_) {
    if (kept.number <= number) continue;
    if (!kept.project.is_nil() && kept.project != subscriber.who.project) continue;
    send({kept.name, kept.data, id_of(kept.number)});
  }
}

Result<void> Events::find_room(const Principal& who) const {
  if (is_stopped_) return fail(Reason::shutting_down, "the server is shutting down");
  const auto of_key = std::ranges::count_if(
      subscribers_, [&](const auto& other) { return other->who.key == who.key; });
  if (subscribers_.size() < options_.streams_max &&
      static_cast<std::size_t>(of_key) < options_.streams_per_key) {
    return {};
  }
  return fail(Reason::too_many_requests, "too many streams of events are open",
              "close some: one is enough for a browser");
}

Result<void> Events::check_room(const Principal& who) const {
  const MutexLock lock(mutex_);
  return find_room(who);
}

Result<void> Events::subscribe(const Principal& who, EventStream stream) {
  {
    const MutexLock lock(mutex_);
    CHRONOS_TRY_VOID(find_room(who));
    auto subscriber = std::make_shared<Subscriber>(Subscriber{who, std::move(stream)});
    if (subscribers_.empty() && !is_watched_) alive_at_ = told_at_ = clock_.steady();
    is_watched_ = true;
    catch_up(*subscriber);
    subscribers_.push_back(std::move(subscriber));
    has_news_ = true;
  }
  happened_.notify_one();
  return {};
}

// -- Time -----------------------------------------------------------------------------------------

void Events::end_gone(SteadyTime now) {
  if (!subscribers_.empty()) watched_at_ = now;
  std::erase_if(subscribers_, [](const auto& subscriber) {
    return subscriber->is_over || subscriber->stream.gone.stop_requested();
  });
  if (!is_watched_ || !subscribers_.empty() || now - watched_at_ < options_.linger) return;
  // What happens from now on is not noticed: ids from before must not be taken for a place to go
  // on.
  is_watched_ = false;
  epoch_ = new_epoch();
  changes_.clear();
  bulks_.clear();
  kept_.clear();
  kept_bytes_ = 0;
}

void Events::stay_alive(SteadyTime now) {
  if (now - alive_at_ < options_.keep_alive) return;
  alive_at_ = now;
  for (const auto& subscriber : subscribers_) {
    if (!subscriber->is_over) subscriber->is_over = !subscriber->stream.send({});
  }
}

std::optional<SteadyTime> Events::next_look(SteadyTime now) const {
  if (!is_watched_) return std::nullopt;
  // Whoever has gone is found out by looking.
  return subscribers_.empty() ? watched_at_ + options_.linger : now + options_.interval;
}

void Events::check_permissions(SteadyTime now) {
  if (now - checked_at_ < options_.check) return;
  checked_at_ = now;
  Subscribers subscribers;
  {
    const MutexLock lock(mutex_);
    subscribers = subscribers_;
  }
  for (const auto& subscriber : subscribers) {
    if (subscriber->stream.may_go_on()) continue;
    const MutexLock lock(mutex_);
    subscriber->is_over = true;
  }
}

std::optional<SteadyTime> Events::pump() {
  const auto now = clock_.steady();
  check_permissions(now);
  const MutexLock lock(mutex_);
  has_news_ = false;
  end_gone(now);
  tell_outputs();
  const auto is_waiting = [this]() CHRONOS_REQUIRES(mutex_) {
    return !changes_.empty() || !bulks_.empty();
  };
  if (is_waiting() && now - told_at_ >= options_.interval) {
    told_at_ = now;
    tell_changes();
    tell_bulks();
  }
  stay_alive(now);
  end_gone(now);
  return is_waiting() ? told_at_ + options_.interval : next_look(now);
}

void Events::run() {
  while (true) {
    const auto next = pump();
    const MutexLock lock(mutex_);
    if (next && !has_news_ && !is_stopped_) {
      happened_.wait_for(mutex_, std::max(Duration(*next - clock_.steady()), Duration(0)));
    }
    while (!next && !has_news_ && !is_stopped_) happened_.wait(mutex_);
    if (is_stopped_) return;
  }
}

void Events::stop() {
  Subscribers ended;
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
    is_watched_ = false;
    ended.swap(subscribers_);
  }
  happened_.notify_all();
}

std::size_t Events::stream_count() const {
  const MutexLock lock(mutex_);
  return subscribers_.size();
}

}  // namespace chronos::service
