#include "service/system.h"

#include <array>
#include <utility>

#include "base/fields.h"
#include "service/access.h"
#include "service/calendars.h"

namespace chronos::service {
namespace {

struct TestRequest {
  std::string email;
  std::string channel;
};

constexpr std::array kTestFields = {
    fields::row<&TestRequest::email, fields::Length{3, 254}>("email"),
    fields::row<&TestRequest::channel, fields::Slug{64}>("channel"),
};

}  // namespace

System::System(store::Store& store, const Clock& clock, IdSource& ids, SystemParts parts)
    : store_(store), clock_(clock), ids_(ids), parts_(std::move(parts)) {}

Result<void> System::check_ready() const {
  return store_.health();
}

Result<Counts> System::counts() const {
  CHRONOS_TRY(const auto stats, store_.stats());
  Counts counts{stats.jobs,
                stats.due,
                stats.ready,
                stats.held,
                stats.limited,
                stats.leased,
                stats.deliveries_waiting,
                std::nullopt};
  if (stats.oldest_ready_at) {
    counts.oldest_ready_age = std::max(Duration(0), clock_.now() - *stats.oldest_ready_at);
  }
  return counts;
}

Result<schedule::Preview> System::preview(const Principal& who, schedule::ScheduleSpec spec,
                                          std::optional<JobId> job, std::optional<Timestamp> from,
                                          std::size_t count) const {
  const auto start = from.value_or(clock_.now());
  spec.anchor = std::chrono::floor<std::chrono::seconds>(start);
  if (job) {
    CHRONOS_TRY(const auto stored, store_.find_job(who.project, *job));
    spec.anchor = stored.spec->schedule.anchor;
    spec.seed = stored.spec->schedule.seed;
  }
  CHRONOS_TRY(const auto schedule, schedule::Schedule::compile(spec));
  CHRONOS_TRY_VOID(schedule.check_fires_after(start));
  CHRONOS_TRY(const auto calendars, load_calendars(store_, who.project, spec.calendars));
  return schedule::preview(schedule, start, count, calendars);
}

// A project's channel comes before the configuration's.
Result<void> System::check_target(const Principal& who, const Target& target) const {
  if (target.kind == "webhook") {
    const auto declared = store_.find_channel(who.project, target.address);
    if (declared) return {};
    if (declared.error().reason != Reason::not_found) return std::unexpected(declared.error());
  }
  return parts_.check_target(target);
}

Result<std::vector<Target>> System::read_targets(const Principal& who,
                                                 const json::Value& body) const {
  TestRequest request;
  CHRONOS_TRY_VOID(fields::read_document<TestRequest>("the test", kTestFields, body, request));
  std::vector<Target> targets;
  if (!request.email.empty()) targets.push_back({"email", request.email});
  if (!request.channel.empty()) targets.push_back({"webhook", request.channel});
  if (targets.empty()) {
    for (const auto& address : parts_.default_addresses) targets.push_back({"email", address});
  }
  if (targets.empty()) {
    return fail_field("/email", "required", "say whom to send it to: no default is configured",
                      "\"email\": address or \"channel\": name");
  }
  for (const auto& target : targets) CHRONOS_TRY_VOID(check_target(who, target));
  return targets;
}

void System::test_notify(const Principal& who, const json::Value& body, const RequestFacts& facts,
                         Done<TestReply> done) {
  auto targets = read_targets(who, body);
  if (!targets) return done(std::unexpected(std::move(targets).error()));
  const auto now = clock_.now();
  store::AddDeliveries change;
  change.idempotency = idempotency_of(who, facts, now);
  change.by = author_of(who, ids_, now, "notify.test");
  for (const auto& target : *targets) {
    Delivery delivery;
    delivery.id = ids_.make<DeliveryId>();
    delivery.project = who.project;
    delivery.target = target;
    delivery.message.event = "test";
    delivery.message.project = who.project_name;
    delivery.message.planned_at = delivery.message.ended_at = now;
    delivery.next_attempt_at = now;
    change.deliveries.push_back(std::move(delivery));
  }
  store_.commit(std::move(change), [targets = std::move(*targets), done = std::move(done)](
                                       Result<store::AddDeliveries::Answer> answer) mutable {
    if (!answer) return done(std::unexpected(std::move(answer).error()));
    done(TestReply{std::move(targets), answer->is_replay});
  });
}

// The copy that an equal request made; or nothing, and the caller writes it now.
Result<std::optional<BackupFile>> System::begin_backup(
    const std::optional<store::Idempotency>& request) {
  const MutexLock lock(backup_mutex_);
  const bool is_repeated = request && last_backup_ &&
                           last_backup_->request.caller == request->caller &&
                           last_backup_->request.key == request->key &&
                           request->at - last_backup_->request.at < store::kIdempotencyKept;
  if (is_repeated && last_backup_->request.fingerprint != request->fingerprint) {
    return fail(Reason::idempotency_key_reused,
                "this idempotency key was used for another request");
  }
  if (is_repeated && last_backup_->file) return last_backup_->file;
  if (is_backing_up_ && is_repeated) {
    return fail(Reason::idempotency_in_flight, "this very backup is being written");
  }
  if (is_backing_up_) return fail(Reason::state_conflict, "a backup is being written already");
  is_backing_up_ = true;
  last_backup_.reset();
  if (request) last_backup_ = KnownBackup{*request, std::nullopt};
  return std::nullopt;
}

// A copy that the audit log does not tell of is none.
Result<BackupFile> System::note_backup(const Principal& who, BackupFile file) {
  const auto by = author_of(who, ids_, clock_.now(), "backup.create");
  CHRONOS_TRY_VOID(
      commit_and_wait(store_, store::AddAudit{entry_by(by, who.project, file.path, file.path)}));
  return file;
}

// The copy holds the jobs and keys of every project.
Result<BackupReply> System::back_up(const Principal& who, const RequestFacts& facts) {
  if (who.project_name != kFirstProject) {
    return fail(Reason::role_too_low, "only an admin of the project 'default' writes backups");
  }
  CHRONOS_TRY(auto known, begin_backup(idempotency_of(who, facts, clock_.now())));
  if (known) return BackupReply{std::move(*known), true};
  auto file = parts_.write_backup();
  if (file) file = note_backup(who, std::move(*file));
  const MutexLock lock(backup_mutex_);
  is_backing_up_ = false;
  if (!file) {
    last_backup_.reset();
    return std::unexpected(std::move(file).error());
  }
  if (last_backup_) last_backup_->file = *file;
  return BackupReply{std::move(*file), false};
}

}  // namespace chronos::service
