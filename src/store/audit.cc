#include "store/audit.h"

#include <utility>

#include "base/fields.h"
#include "model/json_codec.h"

namespace chronos::store {
namespace {

// One member after another of an object, as text.
class Members {
 public:
  Members() { writer_.begin_object(); }
  template <class T>
  Members& add(std::string_view name, const T& value) {
    writer_.key(name);
    fields::write_value(writer_, value);
    return *this;
  }
  std::string text() {
    writer_.end_object();
    return std::move(text_);
  }

 private:
  std::string text_;
  json::Writer writer_{text_};
};

// The declaration, and what a user made of the job.
std::string describe(const Job& job) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  write_spec_members(writer, job.spec);
  writer.member("phase", to_string(job.phase)).end_object();
  return text;
}

std::string describe(const Key& key) {
  return Members()
      .add("name", key.name)
      .add("role", to_string(key.role))
      .add("expires_at", key.expires_at)
      .add("revoked_at", key.revoked_at)
      .text();
}

AuditEntry job_entry(const Author& by, const Job& job) {
  return entry_by(by, job.project, job.id.to_string(), job.spec->name);
}

AuditEntry with_sides(AuditEntry entry, std::string_view before, std::string_view after) {
  auto sides = difference(before, after);
  entry.before = std::move(sides.before);
  entry.after = std::move(sides.after);
  return entry;
}

// With what differs; nothing when nothing does.
std::optional<AuditEntry> with_difference(AuditEntry entry, std::string_view before,
                                          std::string_view after) {
  if (before == after) return std::nullopt;
  return with_sides(std::move(entry), before, after);
}

std::string describe(const Calendar& calendar) {
  return encode_calendar(calendar);
}
std::string describe(const DeclaredChannel& channel) {
  return describe_channel(channel);
}

// What a project knows by its name: put, or deleted.
template <class T>
std::optional<AuditEntry> entry_of_put(Author by, std::string_view kind,
                                       const std::optional<T>& before, const T& now) {
  by.action = std::string(kind) + (before ? ".update" : ".create");
  return with_difference(entry_by(by, now.project, now.name, now.name),
                         before ? describe(*before) : std::string(), describe(now));
}
template <class T>
AuditEntry entry_of_deletion(const Author& by, const T& gone) {
  return with_sides(entry_by(by, gone.project, gone.name, gone.name), describe(gone), {});
}

}  // namespace

std::optional<AuditEntry> entry_of(const ReplaceJob& change, const Before& before,
                                   const JobAnswer& answer) {
  if (answer.is_replay || !before.job) return std::nullopt;
  return with_difference(job_entry(*change.by, answer.job), describe(*before.job),
                         describe(answer.job));
}

// Also of one that is cancelled already: runs that were asked for since are cancelled each time.
std::optional<AuditEntry> entry_of(const CancelJob& change, const Before& before,
                                   const JobAnswer& answer) {
  if (!before.job) return std::nullopt;
  return with_sides(job_entry(*change.by, answer.job), describe(*before.job), describe(answer.job));
}

std::optional<AuditEntry> entry_of(const RunJob& change, const Before& before,
                                   const RunAnswer& answer) {
  if (answer.is_replay) return std::nullopt;
  const bool is_retry = change.run.retry_of.has_value();
  auto entry = entry_by(*change.by, change.project,
                        is_retry ? change.run.retry_of->to_string() : change.job.to_string(),
                        before.job ? before.job->spec->name : std::string());
  entry.after = Members().add("run", answer.run.to_string()).text();
  return entry;
}

std::optional<AuditEntry> entry_of(const Backfill& change, const Before& before,
                                   const Backfill::Answer& answer) {
  if (answer.is_replay || change.runs.empty()) return std::nullopt;
  auto entry = entry_by(*change.by, change.project, change.job.to_string(),
                        before.job ? before.job->spec->name : std::string());
  entry.after = Members()
                    .add("runs", static_cast<std::int64_t>(std::ssize(change.runs)))
                    .add("first", answer.first->to_string())
                    .add("last", answer.last->to_string())
                    .text();
  return entry;
}

std::optional<AuditEntry> entry_of(const CancelRun& change, const Before& before,
                                   const RunAnswer& answer) {
  if (!before.job) return std::nullopt;
  return entry_by(*change.by, change.project, answer.run.to_string(), before.job->spec->name);
}

std::optional<AuditEntry> entry_of(const PutCalendar& change, const Before& before,
                                   const CalendarAnswer& answer) {
  if (answer.is_replay) return std::nullopt;
  return entry_of_put(*change.by, "calendar", before.calendar, answer.calendar);
}

std::optional<AuditEntry> entry_of(const DeleteCalendar& change, const Before&,
                                   const CalendarAnswer& answer) {
  return entry_of_deletion(*change.by, answer.calendar);
}

std::optional<AuditEntry> entry_of(const PutChannel& change, const Before& before,
                                   const ChannelAnswer& answer) {
  if (answer.is_replay) return std::nullopt;
  return entry_of_put(*change.by, "channel", before.channel, answer.channel);
}

std::optional<AuditEntry> entry_of(const DeleteChannel& change, const Before&,
                                   const ChannelAnswer& answer) {
  return entry_of_deletion(*change.by, answer.channel);
}

std::optional<AuditEntry> entry_of(const PutBulk& change, const Before&, const BulkAnswer& answer) {
  if (answer.is_replay) return std::nullopt;
  const auto& bulk = answer.bulk;
  auto entry = entry_by(*change.by, bulk.project, bulk.id.to_string(), {});
  entry.after = Members()
                    .add("action", to_string(bulk.action))
                    .add("selection", bulk.selection)
                    .add("total", bulk.total)
                    .text();
  return entry;
}

std::optional<AuditEntry> entry_of(const MoveBulk& change, const Before& before,
                                   const BulkAnswer& answer) {
  if (!before.bulk) return std::nullopt;
  const auto status = [](const Bulk& bulk) {
    return Members().add("status", to_string(bulk.status)).text();
  };
  const auto& bulk = answer.bulk;
  return with_difference(entry_by(*change.by, bulk.project, bulk.id.to_string(), {}),
                         status(*before.bulk), status(bulk));
}

std::optional<AuditEntry> entry_of(const AddDeliveries& change, const Before&,
                                   const AddDeliveries::Answer& answer) {
  if (answer.is_replay || change.deliveries.empty()) return std::nullopt;
  const auto& first = change.deliveries.front();
  auto entry = entry_by(*change.by, first.project, first.id.to_string(), first.target.address);
  std::vector<std::string> told;
  told.reserve(change.deliveries.size());
  for (const auto& delivery : change.deliveries) told.push_back(delivery.target.address);
  entry.after = Members().add("told", told).text();
  return entry;
}

// The new project is written down where its maker is at home: nobody else may see who that is.
std::optional<AuditEntry> entry_of(const PutProject& change, const Before&, const Project& answer) {
  if (answer.id != change.project.id) return std::nullopt;
  auto entry = entry_by(*change.by, change.by->home, answer.id.to_string(), answer.name);
  entry.after = Members().add("name", answer.name).text();
  return entry;
}

std::optional<AuditEntry> entry_of(const PutKey& change, const Before&, const Key& answer) {
  if (answer.id != change.key.id) return std::nullopt;
  return with_sides(entry_by(*change.by, answer.project, answer.id.to_string(), answer.name), {},
                    describe(answer));
}

std::optional<AuditEntry> entry_of(const PutSession& change, const Before&, const Session& answer) {
  auto entry = entry_by(*change.by, change.by->home, answer.id.to_string(), {});
  entry.after = Members().add("expires_at", answer.expires_at).text();
  return entry;
}

std::optional<AuditEntry> entry_of(const EndSession& change, const Before&,
                                   const EndSession::Answer&) {
  return entry_by(*change.by, change.by->home, change.session.to_string(), {});
}

std::optional<AuditEntry> entry_of(const RevokeKey& change, const Before& before,
                                   const Key& answer) {
  if (!before.key) return std::nullopt;
  return with_difference(entry_by(*change.by, answer.project, answer.id.to_string(), answer.name),
                         describe(*before.key), describe(answer));
}

AuditEntry submission_entry(const Job& job, KeyId by) {
  AuditEntry entry;
  entry.id = AuditId{job.id.uuid};
  entry.project = job.project;
  entry.at = job.created_at;
  entry.actor = by;
  entry.action = kSubmitAction;
  entry.kind = "job";
  entry.resource = job.id.to_string();
  entry.name = job.spec->name;
  return entry;
}

}  // namespace chronos::store
