#include "app/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/time_text.h"

namespace chronos::app {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kFewBytes = 1024 * kMiB;
constexpr std::uint64_t kNoBytes = 64 * kMiB;
constexpr std::uint64_t kFewFiles = 100;
constexpr Duration kSlowSync = 20ms;
constexpr Duration kClockApart = 500ms;
constexpr int kZonesOld = 2;  // years
// A node keeps so many sessions: one that writes, four that read, one that listens.
constexpr int kSessionsOfNode = 6;
constexpr int kOldestServer = 150'000;
constexpr Duration kLongChange = std::chrono::minutes(10);
constexpr std::int64_t kManyDead = 100'000;
constexpr std::int64_t kMuchFree = 256 * static_cast<std::int64_t>(kMiB);
constexpr std::uint64_t kFilesBeside = 1000;  // that are no connections

class Report {
 public:
  void ok(std::string check, std::string message) {
    findings_.push_back({std::move(check), Verdict::ok, std::move(message), {}});
  }
  void warn(std::string check, std::string message, std::string fix) {
    findings_.push_back({std::move(check), Verdict::warning, std::move(message), std::move(fix)});
  }
  void fail(std::string check, std::string message, std::string fix) {
    findings_.push_back({std::move(check), Verdict::error, std::move(message), std::move(fix)});
  }
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  std::vector<Finding> findings_;
};

std::string megabytes(std::uint64_t bytes) {
  return fmt::format("{} MiB", bytes / kMiB);
}

void judge_disk(Report& report, const DiskFacts& disk, bool has_database) {
  if (!disk.problem.empty()) {
    return report.fail("disk", disk.problem,
                       "give the directory to the user that runs the server, or name another one "
                       "with --data-dir");
  }
  const auto free = fmt::format("{} free in {}", megabytes(disk.free_bytes), disk.path);
  if (disk.free_bytes < kNoBytes) {
    report.fail("disk", free, "make room: a full disk refuses every change");
  } else if (disk.free_bytes < kFewBytes || disk.free_bytes < disk.bytes / 20) {
    report.warn("disk", free, "make room, or keep less history (retention.runs, retention.age)");
  } else {
    report.ok("disk", free);
  }
  if (disk.free_files < kFewFiles) {
    report.fail("disk", fmt::format("{} more files fit on the disk", disk.free_files),
                "remove files that nobody needs: the file system has no inodes left");
  }
  if (!has_database) return;
  if (disk.is_in_memory) {
    report.warn("disk", disk.path + " lies in memory: a restart of the machine loses everything",
                "name a directory on a disk with --data-dir");
  }
  if (disk.is_on_network) {
    report.fail("disk",
                disk.path + " lies on a network file system, where SQLite's log does not work",
                "name a directory on a local disk with --data-dir, or use PostgreSQL");
  }
  if (!disk.sync) {
    return report.fail("fsync", "a small write did not become durable in " + disk.path,
                       "make room, and look at what the kernel says of this disk (dmesg)");
  }
  const auto sync = fmt::format("a small write is durable in {} µs", disk.sync->count());
  if (*disk.sync > kSlowSync) {
    report.warn("fsync", sync,
                "every answer to a submission waits for it: use an SSD, or a disk that others "
                "write less to");
  } else {
    report.ok("fsync", sync);
  }
}

void judge_clock(Report& report, const ClockFacts& clock) {
  if (clock.is_known && !clock.is_kept_in_step) {
    return report.warn("clock", "nothing keeps this machine's clock in step",
                       "install chrony or turn on systemd-timesyncd: jobs start by this clock");
  }
  report.ok("clock", clock.is_known ? "kept in step" : "the kernel does not say who keeps it");
}

void judge_zones(Report& report, const ZoneFacts& zones, Timestamp now) {
  if (!zones.problem.empty()) {
    return report.fail("zones", "time zones cannot be read: " + zones.problem,
                       "install the package tzdata (or correct TZDIR)");
  }
  int year = 0;
  std::from_chars(zones.version.data(), zones.version.data() + zones.version.size(), year);
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  if (year != 0 && static_cast<int>(today.year()) - year >= kZonesOld) {
    return report.warn("zones", "the time zone database is of " + zones.version,
                       "upgrade the package tzdata: governments change the rules every year");
  }
  report.ok("zones", zones.version.empty() ? "time zones can be read"
                                           : "time zone database " + zones.version);
}

// -- The store ------------------------------------------------------------------------------------

void judge_schema(Report& report, const store::StoreFacts& store) {
  if (store.schema > store.newest_schema) {
    return report.fail(
        "schema",
        fmt::format("the database has schema {}, this program knows schemas up to {}", store.schema,
                    store.newest_schema),
        "run the newer program, or restore the backup made before its first start");
  }
  if (store.schema == 0) return report.ok("schema", "none yet: the first start makes it");
  if (store.schema < store.newest_schema) {
    return report.warn(
        "schema",
        fmt::format("the database has schema {}, the next start brings it to {}", store.schema,
                    store.newest_schema),
        "make a backup first; while servers of the version before still run, upgrade them soon");
  }
  report.ok("schema", fmt::format("schema {}", store.schema));
}

void judge_sqlite(Report& report, const store::SqliteFacts& sqlite) {
  if (!sqlite.exists) return report.ok("store", "no database yet at " + sqlite.path);
  const auto size =
      fmt::format("{} of {}, {} of them free", megabytes(static_cast<std::uint64_t>(sqlite.bytes)),
                  sqlite.path, megabytes(static_cast<std::uint64_t>(sqlite.free_bytes)));
  if (sqlite.free_bytes > kMuchFree && sqlite.free_bytes > sqlite.bytes / 2) {
    return report.warn("store", size,
                       "it is used again before the file grows; to give it back, stop the server "
                       "and run: sqlite3 FILE VACUUM");
  }
  report.ok("store", size);
}

void judge_settings(Report& report, const store::PostgresFacts& server) {
  const auto is = [&](const char* name, std::string_view value) {
    const auto found = server.settings.find(name);
    return found != server.settings.end() && found->second == value;
  };
  if (is("fsync", "off")) {
    report.fail("settings", "fsync is off: a crash of the machine may destroy the database",
                "ALTER SYSTEM SET fsync = on, then restart PostgreSQL");
  }
  if (is("full_page_writes", "off")) {
    report.fail("settings", "full_page_writes is off: a crash may leave torn pages",
                "ALTER SYSTEM SET full_page_writes = on");
  }
  if (is("autovacuum", "off") || is("track_counts", "off")) {
    report.fail("settings", "autovacuum is off: tables grow without end",
                "ALTER SYSTEM SET autovacuum = on, and track_counts = on");
  }
  if (server.sessions + kSessionsOfNode > server.sessions_max) {
    report.fail("settings",
                fmt::format("{} of {} sessions are in use, a node needs {}", server.sessions,
                            server.sessions_max, kSessionsOfNode),
                "raise max_connections, or go through a pooler (docs/cluster.md)");
  }
}

void judge_standbys(Report& report, const store::PostgresFacts& server) {
  const auto found = server.settings.find("synchronous_standby_names");
  const bool is_wanted = found != server.settings.end() && !found->second.empty();
  const auto is_synchronous = [](const auto& standby) {
    return standby.sync_state == "sync" || standby.sync_state == "quorum";
  };
  if (is_wanted && std::ranges::none_of(server.standbys, is_synchronous)) {
    return report.fail(
        "standbys",
        fmt::format("no synchronous standby of '{}' is connected: commits wait", found->second),
        "start the standby, or clear synchronous_standby_names");
  }
  for (const auto& standby : server.standbys) {
    if (is_wanted || standby.sync_state != "async") continue;
    report.warn("standbys",
                fmt::format("the standby '{}' is asynchronous: a failover to it loses what it had "
                            "not received",
                            standby.name),
                "set synchronous_standby_names, if acknowledged jobs must outlive the primary");
  }
  if (std::ranges::any_of(server.standbys, is_synchronous)) {
    report.ok("standbys", "a synchronous standby has every acknowledged change");
  }
}

void judge_bloat(Report& report, const store::PostgresFacts& server) {
  if (server.oldest_change > kLongChange) {
    report.warn(
        "bloat",
        fmt::format("a transaction is open for {}: {}",
                    format_duration(std::chrono::floor<std::chrono::seconds>(server.oldest_change)),
                    server.oldest_by),
        "end it: no dead row that is younger can be removed");
  }
  for (const auto& table : server.tables) {
    if (table.dead < kManyDead || table.dead < table.live) continue;
    report.warn(
        "bloat",
        fmt::format("{} rows of {} are dead, {} are alive", table.dead, table.name, table.live),
        fmt::format("VACUUM chronos.{}; when it comes back, look for long transactions and "
                    "autovacuum's limits",
                    table.name));
  }
}

void judge_postgres(Report& report, const store::PostgresFacts& server) {
  const auto version =
      fmt::format("PostgreSQL {}.{}", server.version / 10'000, server.version % 10'000);
  if (server.version < kOldestServer) {
    report.fail("store", version + " is too old", "upgrade it to 15 or newer");
  } else if (server.is_standby) {
    report.fail("store", version + " is a standby and takes no changes",
                "name all servers in the URL, with target_session_attrs=read-write");
  } else if (!server.may_write) {
    report.fail("store", "the role may not make or use the schema 'chronos'",
                "GRANT CREATE ON DATABASE … TO the role, or ALTER SCHEMA chronos OWNER TO it");
  } else {
    report.ok("store", version);
  }
  const auto apart = std::chrono::abs(server.clock_ahead) - server.round_trip / 2;
  if (apart > kClockApart) {
    report.warn("clock",
                fmt::format("the database's clock is {} ms {} this machine's",
                            std::chrono::abs(server.clock_ahead) / 1ms,
                            server.clock_ahead > Duration(0) ? "ahead of" : "behind"),
                "keep both in step (chrony): a node that is ahead starts runs that much early");
  }
  judge_settings(report, server);
  judge_standbys(report, server);
  judge_bloat(report, server);
}

void judge_store(Report& report, const MachineFacts& facts) {
  if (!facts.store) return report.fail("store", facts.store_problem, facts.store_fix);
  if (!facts.store->sqlite && !facts.store->postgres) {
    return report.warn("store", "the memory store forgets everything when the server ends",
                       "use it for trying out only");
  }
  judge_schema(report, *facts.store);
  if (facts.store->sqlite) judge_sqlite(report, *facts.store->sqlite);
  if (facts.store->postgres) judge_postgres(report, *facts.store->postgres);
}

// -- What the configuration allows ----------------------------------------------------------------

bool is_loopback(const std::string& listen) {
  return listen.starts_with("127.") || listen.starts_with("[::1]");
}

void judge_config(Report& report, const Config& config, const MachineFacts& facts) {
  if (config.commands.allow && facts.is_root) {
    report.warn("commands", "jobs run commands as root",
                "start the server as a user of its own (the systemd unit in docs/ does)");
  } else {
    report.ok("commands", config.commands.allow ? "jobs may run commands, as this user"
                                                : "jobs may not run commands (commands.allow)");
  }
  const bool is_open = !std::ranges::all_of(config.server.listen, is_loopback);
  if (is_open && config.server.tls_cert_file.empty()) {
    report.warn("listen", "other machines may connect, and keys travel in plain text",
                "set server.tls_cert_file and server.tls_key_file, or listen on 127.0.0.1 behind a "
                "proxy that speaks TLS");
  }
  if (is_open && config.http.egress == net::EgressMode::internal) {
    report.warn(
        "egress",
        "whoever may submit jobs from other machines reaches this one's network through them",
        "http.egress = \"public\", unless that is what it is for");
  } else {
    report.ok("egress", fmt::format("http.egress is {}", net::to_string(config.http.egress)));
  }
  const auto files = static_cast<std::uint64_t>(config.server.connections_max) + kFilesBeside;
  if (facts.open_files_max < files) {
    report.warn(
        "files",
        fmt::format("{} files may be open, {} connections need more", facts.open_files_max,
                    config.server.connections_max),
        fmt::format("LimitNOFILE={} in the unit, or a smaller server.connections_max", files));
  }
}

void judge_smtp(Report& report, const Config& config, const MachineFacts& facts) {
  if (config.smtp.host.empty()) {
    if (config.notify.on_failure.empty()) return report.ok("smtp", "no e-mail is configured");
    return report.fail("smtp", "notify.on_failure has addresses, but there is no mail server",
                       "set smtp.host and smtp.from");
  }
  const auto server = fmt::format("{}:{}", config.smtp.host, config.smtp.port);
  if (facts.smtp_problem.empty()) return report.ok("smtp", server + " takes mail");
  report.fail("smtp", fmt::format("{} does not take mail: {}", server, facts.smtp_problem),
              "correct smtp.host, smtp.port, smtp.tls, smtp.user and smtp.password");
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warning:
      return "warning";
    case Verdict::error:
      return "error";
  }
  return "";
}

std::vector<Finding> judge(const Config& config, const MachineFacts& facts, Timestamp now) {
  Report report;
  judge_disk(report, facts.disk, config.store.url.starts_with("sqlite:"));
  judge_clock(report, facts.clock);
  judge_zones(report, facts.zones, now);
  judge_store(report, facts);
  judge_config(report, config, facts);
  judge_smtp(report, config, facts);
  return report.take();
}

}  // namespace chronos::app
