// Each fault is named, with what mends it; and a machine without one is told that all is well.
#include "app/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/time_text.h"

namespace chronos::app {
namespace {

using namespace std::chrono_literals;

class DoctorTest : public testing::Test {
 protected:
  DoctorTest() {
    config_.store.url = "sqlite:/var/lib/chronos/chronos.db";
    facts_.disk = {.path = "/var/lib/chronos",
                   .problem = {},
                   .bytes = 100'000 * kMiB,
                   .free_bytes = 50'000 * kMiB,
                   .free_files = 1'000'000,
                   .sync = 2ms};
    facts_.zones.version = "2026a";
    facts_.open_files_max = 1'000'000;
    facts_.store.emplace();
    facts_.store->schema = facts_.store->newest_schema = 10;
    facts_.store->sqlite = store::SqliteFacts{"/var/lib/chronos/chronos.db", true, 1 << 20, 0};
  }
  store::PostgresFacts& postgres() {
    config_.store.url = "postgres:///chronos";
    facts_.store->sqlite.reset();
    if (facts_.store->postgres) return *facts_.store->postgres;
    auto& server = facts_.store->postgres.emplace();
    server.version = 150'004;
    server.may_write = true;
    server.sessions = 10;
    server.sessions_max = 97;
    server.settings = {{"fsync", "on"},
                       {"full_page_writes", "on"},
                       {"autovacuum", "on"},
                       {"track_counts", "on"},
                       {"synchronous_standby_names", ""}};
    return server;
  }
  std::vector<Finding> faults() const {
    auto findings = judge(config_, facts_, *parse_timestamp("2026-11-26T12:00:00Z"));
    std::erase_if(findings, [](const auto& each) { return each.verdict == Verdict::ok; });
    return findings;
  }
  // Of the one fault there is: "error disk: …"; its fix must say something.
  std::string fault() const {
    const auto found = faults();
    if (found.size() != 1) return std::to_string(found.size()) + " faults";
    EXPECT_FALSE(found[0].fix.empty());
    return std::string(to_string(found[0].verdict)) + " " + found[0].check + ": " +
           found[0].message;
  }
  std::string fix() const { return faults().at(0).fix; }

  Config config_;
  MachineFacts facts_;
};

TEST_F(DoctorTest, AMachineWithoutFaultIsWell) {
  EXPECT_TRUE(faults().empty());
  const auto all = judge(config_, facts_, *parse_timestamp("2026-11-26T12:00:00Z"));
  EXPECT_GE(all.size(), 8U);
  EXPECT_TRUE(std::ranges::all_of(all, [](const auto& each) { return each.fix.empty(); }));
  postgres();
  EXPECT_TRUE(faults().empty());
}

TEST_F(DoctorTest, ADiskThatCannotBeWritten) {
  facts_.disk.problem = "/var/lib/chronos cannot be written: Permission denied";
  EXPECT_EQ(fault(), "error disk: /var/lib/chronos cannot be written: Permission denied");
}

TEST_F(DoctorTest, ADiskThatIsNearlyFull) {
  facts_.disk.free_bytes = 900 * kMiB;
  EXPECT_EQ(fault(), "warning disk: 900 MiB free in /var/lib/chronos");
  facts_.disk.free_bytes = 10 * kMiB;
  EXPECT_EQ(fault(), "error disk: 10 MiB free in /var/lib/chronos");
}

TEST_F(DoctorTest, ADiskWithoutInodes) {
  facts_.disk.free_files = 3;
  EXPECT_EQ(fault(), "error disk: 3 more files fit on the disk");
}

TEST_F(DoctorTest, ADatabaseInMemoryOrOnTheNetwork) {
  facts_.disk.is_in_memory = true;
  EXPECT_TRUE(fault().starts_with("warning disk: /var/lib/chronos lies in memory"));
  facts_.disk.is_in_memory = false;
  facts_.disk.is_on_network = true;
  EXPECT_TRUE(fault().starts_with("error disk: /var/lib/chronos lies on a network file system"));
  postgres();  // whose data are elsewhere
  EXPECT_TRUE(faults().empty());
}

TEST_F(DoctorTest, ADiskThatIsSlowToSync) {
  facts_.disk.sync = 35ms;
  EXPECT_EQ(fault(), "warning fsync: a small write is durable in 35000 µs");
  facts_.disk.sync.reset();
  EXPECT_EQ(fault(), "error fsync: a small write did not become durable in /var/lib/chronos");
}

TEST_F(DoctorTest, AClockThatNobodyKeeps) {
  facts_.clock.is_kept_in_step = false;
  EXPECT_EQ(fault(), "warning clock: nothing keeps this machine's clock in step");
  EXPECT_NE(fix().find("chrony"), std::string::npos);
  facts_.clock.is_known = false;
  EXPECT_TRUE(faults().empty());
}

TEST_F(DoctorTest, TimeZonesThatAreMissingOrOld) {
  facts_.zones.version = "2024b";
  EXPECT_EQ(fault(), "warning zones: the time zone database is of 2024b");
  facts_.zones.problem = "no such file";
  EXPECT_EQ(fault(), "error zones: time zones cannot be read: no such file");
  EXPECT_NE(fix().find("tzdata"), std::string::npos);
}

TEST_F(DoctorTest, ASchemaOfAnotherVersion) {
  facts_.store->schema = 11;
  EXPECT_TRUE(fault().starts_with("error schema: the database has schema 11"));
  facts_.store->schema = 9;
  EXPECT_TRUE(fault().starts_with("warning schema: the database has schema 9, the next start"));
  facts_.store->schema = 0;
  EXPECT_TRUE(faults().empty());
}

TEST_F(DoctorTest, AFileThatIsMostlyEmpty) {
  facts_.store->sqlite->bytes = 1000 * static_cast<std::int64_t>(kMiB);
  facts_.store->sqlite->free_bytes = 600 * static_cast<std::int64_t>(kMiB);
  EXPECT_TRUE(fault().starts_with("warning store: 1000 MiB"));
  EXPECT_NE(fix().find("VACUUM"), std::string::npos);
}

TEST_F(DoctorTest, AStoreThatCannotBeReached) {
  facts_.store.reset();
  facts_.store_problem = "the database cannot be asked: connection refused";
  facts_.store_fix = "correct store.url";
  EXPECT_EQ(fault(), "error store: the database cannot be asked: connection refused");
}

TEST_F(DoctorTest, AServerThatWillNotDo) {
  postgres().version = 140'010;
  EXPECT_EQ(fault(), "error store: PostgreSQL 14.10 is too old");
  postgres().version = 160'001;
  postgres().is_standby = true;
  EXPECT_EQ(fault(), "error store: PostgreSQL 16.1 is a standby and takes no changes");
  EXPECT_NE(fix().find("target_session_attrs"), std::string::npos);
  postgres().is_standby = false;
  postgres().may_write = false;
  EXPECT_EQ(fault(), "error store: the role may not make or use the schema 'chronos'");
}

TEST_F(DoctorTest, SettingsThatLoseData) {
  postgres().settings["fsync"] = "off";
  EXPECT_TRUE(fault().starts_with("error settings: fsync is off"));
  postgres().settings["fsync"] = "on";
  postgres().settings["full_page_writes"] = "off";
  EXPECT_TRUE(fault().starts_with("error settings: full_page_writes is off"));
  postgres().settings["full_page_writes"] = "on";
  postgres().settings["autovacuum"] = "off";
  EXPECT_TRUE(fault().starts_with("error settings: autovacuum is off"));
}

TEST_F(DoctorTest, TooFewSessions) {
  postgres().sessions = 92;
  EXPECT_EQ(fault(), "error settings: 92 of 97 sessions are in use, a node needs 6");
}

TEST_F(DoctorTest, AClockThatIsNotTheDatabases) {
  postgres().clock_ahead = -2s;
  postgres().round_trip = 10ms;
  EXPECT_EQ(fault(), "warning clock: the database's clock is 2000 ms behind this machine's");
  postgres().round_trip = 4s;  // then nobody can tell
  EXPECT_TRUE(faults().empty());
}

TEST_F(DoctorTest, AStandbyThatMayLoseWhatWasAcknowledged) {
  postgres().standbys = {{"second", "async"}};
  EXPECT_TRUE(fault().starts_with("warning standbys: the standby 'second' is asynchronous"));
  postgres().settings["synchronous_standby_names"] = "second";
  EXPECT_TRUE(fault().starts_with("error standbys: no synchronous standby of 'second'"));
  postgres().standbys = {{"second", "sync"}, {"third", "async"}};
  EXPECT_TRUE(faults().empty());
}

TEST_F(DoctorTest, DeadRowsAndWhatKeepsThem) {
  postgres().tables = {{"due", 10'000, 90'000}, {"ready", 50, 400'000}};
  EXPECT_EQ(fault(), "warning bloat: 400000 rows of ready are dead, 50 are alive");
  postgres().tables.clear();
  postgres().oldest_change = 2h;
  postgres().oldest_by = "process 7 of ann psql idle in transaction";
  EXPECT_EQ(fault(),
            "warning bloat: a transaction is open for 2h: process 7 of ann psql idle in "
            "transaction");
}

TEST_F(DoctorTest, CommandsAsRoot) {
  facts_.is_root = true;
  EXPECT_TRUE(faults().empty());
  config_.commands.allow = true;
  EXPECT_EQ(fault(), "warning commands: jobs run commands as root");
}

TEST_F(DoctorTest, ADoorThatIsOpen) {
  config_.server.listen = {"0.0.0.0:8086"};
  config_.http.egress = net::EgressMode::public_;
  EXPECT_TRUE(fault().starts_with("warning listen: "));
  config_.server.tls_cert_file = "cert.pem";
  EXPECT_TRUE(faults().empty());
  config_.http.egress = net::EgressMode::internal;
  EXPECT_TRUE(fault().starts_with("warning egress: "));
}

TEST_F(DoctorTest, TooFewFiles) {
  facts_.open_files_max = 1024;
  EXPECT_EQ(fault(), "warning files: 1024 files may be open, 10000 connections need more");
  EXPECT_NE(fix().find("LimitNOFILE=11000"), std::string::npos);
}

TEST_F(DoctorTest, AMailServerThatTakesNoMail) {
  config_.smtp.host = "mail.example.com";
  config_.smtp.port = 587;
  EXPECT_TRUE(faults().empty());
  facts_.smtp_problem = "Login denied";
  EXPECT_EQ(fault(), "error smtp: mail.example.com:587 does not take mail: Login denied");
  config_.smtp.host.clear();
  config_.notify.on_failure = {"ops@example.com"};
  EXPECT_TRUE(fault().starts_with("error smtp: notify.on_failure has addresses"));
}

}  // namespace
}  // namespace chronos::app
