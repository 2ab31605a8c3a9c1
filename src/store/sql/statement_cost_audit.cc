#include <functional>
#include <string>
#include <utility>

#include "store/sql/statement_cost_operations.h"
#include "support/large_database.h"

namespace chronos::store::sql {
namespace {

using namespace std::chrono_literals;
using test::large::job;
using test::large::kFuture;
using test::large::kLeased;
using test::large::kLive;
using test::large::kNow;
using test::large::project;
using test::large::run;
using test::large::uuid;

Author author(std::string action) {
  return {.key = {uuid('k', 1)}, .entry = {uuid('a', 1)}, .at = kNow, .action = std::move(action)};
}

Operation audit_where(std::string name, std::function<void(AuditFilter&)> set) {
  return {"audit: " + std::move(name), [set = std::move(set)](Desk& desk) -> Result<void> {
            const AuditEntry entry = entry_by(author("job.pause"), project(), "it", "it");
            CHRONOS_TRY_VOID(apply(desk.writer, AddAudit{entry}));
            AuditFilter filter;
            filter.project = project();
            set(filter);
            return done(list_audit(desk.reader, filter));
          }};
}

Result<ReplaceJob> edit(Desk& desk, std::string note) {
  CHRONOS_TRY(auto before, read_job(desk.reader, project(), job(kFuture.last)));
  ReplaceJob change{.job = std::move(before), .now = kNow, .idempotency = {}};
  change.expected_version = change.job.version++;
  change.job.spec.edit().note = std::move(note);
  change.by = author("job.update");
  return change;
}

PutBulk bulk_of(std::size_t items) {
  PutBulk change{.bulk = {}, .items = {}, .idempotency = {}};
  change.bulk.id = {uuid('b', 1)};
  change.bulk.project = project();
  change.bulk.selection = "{}";
  change.by = author("bulk.create");
  for (std::size_t i = 0; i < items; ++i) change.items.push_back(uuid('i', 1));
  return change;
}

Operation with_bulk(std::string name, std::function<Result<void>(Desk&)> run) {
  return {std::move(name), [run = std::move(run)](Desk& desk) -> Result<void> {
            CHRONOS_TRY_VOID(apply(desk.writer, bulk_of(3'000)));
            return run(desk);
          }};
}

PutChannel channel(std::string url) {
  PutChannel change{.channel = {}, .expected_version = {}, .idempotency = {}};
  change.channel.project = project();
  change.channel.name = "ops";
  change.channel.url = std::move(url);
  change.by = author("channel.update");
  return change;
}

std::vector<Operation> bulk_operations() {
  return {
      change("put a bulk operation", bulk_of(3'000)),
      with_bulk("move a bulk operation on",
                [](Desk& desk) {
                  auto bulk = bulk_of(0).bulk;
                  bulk.status = BulkStatus::done;
                  return done(apply_audited(desk.writer, MoveBulk{bulk, author("bulk.cancel")}));
                }),
      with_bulk("things of a bulk operation",
                [](Desk& desk) {
                  return done(bulk_items(desk.reader, {uuid('b', 1)}, 1'010, kBulkStep));
                }),
      with_bulk("list bulk operations",
                [](Desk& desk) { return done(list_bulks(desk.reader, project(), {}, 50)); }),
      with_bulk("bulk operations to do",
                [](Desk& desk) { return done(open_bulks(desk.reader, 100)); }),
      {"put and delete a channel",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY_VOID(apply_audited(desk.writer, channel("https://a.example/")));
         CHRONOS_TRY_VOID(apply_audited(desk.writer, channel("https://b.example/")));
         CHRONOS_TRY_VOID(find_channel(desk.reader, project(), "ops"));
         CHRONOS_TRY_VOID(list_channels(desk.reader, project()));
         return done(apply(desk.writer, DeleteChannel{project(), "ops", {}}));
       }},
  };
}

std::vector<Operation> log_operations() {
  return {
      audit_where("all", [](AuditFilter&) {}),
      audit_where("nothing matches", [](auto& filter) { filter.actor = KeyId{uuid('k', 3)}; }),
      audit_where("of a job", [](auto& filter) { filter.resource = job(7).to_string(); }),
      audit_where("submissions", [](auto& filter) { filter.action = "job.submit"; }),
      audit_where("of a time", [](auto& filter) { filter.since = kNow - 1h; }),
      change("cancel a run, with an entry", CancelRun{.project = project(),
                                                      .run = run(kLive + kLeased.first),
                                                      .now = kNow,
                                                      .by = author("run.cancel")}),
      change("delete a calendar, with an entry", DeleteCalendar{.project = project(),
                                                                .name = "calendar-100",
                                                                .expected_version = {},
                                                                .by = author("calendar.delete")}),
      {"versions of a job",
       [](Desk& desk) -> Result<void> {
         for (const auto* note : {"one", "two", "three"}) {
           CHRONOS_TRY(const auto value, edit(desk, note));
           CHRONOS_TRY_VOID(apply_audited(desk.writer, value));
         }
         return done(list_versions(desk.reader, project(), job(kFuture.last), kNewestVersion, 100));
       }},
      {"one version of a job",
       [](Desk& desk) { return done(find_version(desk.reader, project(), job(7), 1)); }},
  };
}

}  // namespace

std::vector<Operation> audit_operations() {
  auto all = bulk_operations();
  const auto rest = log_operations();
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

}  // namespace chronos::store::sql
