// What happens to a store whose connections, server, or standby go away.
#include <libpq-fe.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "store/sql/postgres_words.h"
#include "store_nodes/nodes_test.h"

namespace chronos::store {
namespace {

using test::PostgresDatabase;

class ConnectionsTest : public NodesTest {
 protected:
  PostgresDatabase& database() { return store_.database(); }
  SubmitJob submission() { return {new_job(), planned(now()), now(), std::nullopt}; }

  // Ends every connection of the stores.
  void cut() {
    database().run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  }

  // Commits wait for a standby that never comes, until it is let go.
  void await_a_standby() {
    database().run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    database().run("SELECT pg_reload_conf()");
    // It is in force when somebody waits.
    std::atomic<bool> is_over = false;
    std::jthread probe([&] {
      while (!is_over) {
        PostgresDatabase::administrate(
            "SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'probe', '')");
      }
    });
    std::string waiting;
    while (waiting.empty()) {
      waiting = database().run("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    }
    is_over = true;
    database().run("SELECT pg_cancel_backend(" + waiting + ")");
  }
  void forget_the_standby() {
    database().run("ALTER SYSTEM RESET synchronous_standby_names");
    database().run("SELECT pg_reload_conf()");
  }
  // The server process whose commit waits for the standby.
  std::string who_waits() {
    while (true) {
      auto pid = database().run(
          "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
          " AND datname = current_database()");
      if (!pid.empty()) return pid;
      std::this_thread::yield();
    }
  }
  // Likewise; none when the answer came without.
  template <class Answer>
  std::string who_waits_for(const std::future<Answer>& answer) {
    while (true) {
      auto pid = database().run(
          "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
          " AND datname = current_database()");
      if (!pid.empty() || is_there(answer)) return pid;
      std::this_thread::yield();
    }
  }
  template <class Answer>
  static bool is_there(const std::future<Answer>& answer) {
    return answer.wait_for(0s) == std::future_status::ready;
  }
  // All connections are from now on those of a role without a superuser's rights.
  void go_on_as_somebody() {
    database().run(
        "DO $$ BEGIN CREATE ROLE somebody; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT ALL ON SCHEMA chronos TO somebody;"
        "GRANT ALL ON ALL TABLES IN SCHEMA chronos TO somebody;"
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET role TO somebody', current_database());"
        " END $$");
    cut();
  }
  template <class C>
  std::future<Result<typename C::Answer>> send(C change) {
    return std::async(std::launch::async, [this, change] { return try_commit(change); });
  }
};
CHRONOS_OVER_POSTGRES(ConnectionsTest);

TEST_P(ConnectionsTest, AreMadeAgain) {
  const auto before = submit_ready();
  for (int round = 0; round < 3; ++round) {
    cut();
    EXPECT_EQ(job(before).id, before.id);
    EXPECT_EQ(refusal(try_commit(submission())), "ok");
    EXPECT_EQ(refusal(store().health()), "ok");
  }
  EXPECT_EQ(stats().jobs, 4);
}

TEST_P(ConnectionsTest, OthersAreHeardAgainAndAHintSaysThatSomethingMayHaveBeenMissed) {
  std::promise<void> woken;
  std::atomic<int> wakes = 0;
  other().on_change([&] {
    if (++wakes == 1) woken.set_value();
  });
  cut();
  woken.get_future().wait();
  other().stop();
}

TEST_P(ConnectionsTest, ACommitThatTheServerCutOffDidNotHappen) {
  database().run(
      "CREATE FUNCTION chronos.die() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
      "CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON chronos.jobs DEFERRABLE INITIALLY DEFERRED"
      " FOR EACH ROW EXECUTE FUNCTION chronos.die()");
  const auto change = submission();
  EXPECT_EQ(refusal(try_commit(change)), "store_unavailable");
  database().run("DROP TRIGGER dies ON chronos.jobs");
  EXPECT_EQ(refusal(store().find_job(project_, change.job.id)), "not_found");
  EXPECT_FALSE(commit(change).is_replay);
}

TEST_P(ConnectionsTest, ACommitWhoseConnectionIsLostIsLookedUp) {
  const auto change = submission();
  await_a_standby();
  auto answer = send(change);
  // The server goes down and comes again, as after a fault; the transaction is stored.
  ASSERT_EQ(::kill(std::stoi(who_waits()), SIGKILL), 0);
  while (true) {
    try {
      PostgresDatabase::administrate("ALTER SYSTEM RESET synchronous_standby_names");
      PostgresDatabase::administrate("SELECT pg_reload_conf()");
      break;
    } catch (const std::runtime_error&) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(refusal(answer.get()), "ok");
  EXPECT_EQ(must(store().find_job(project_, change.job.id)).id, change.job.id);
}

TEST_P(ConnectionsTest, ACommitThatIsNotOnTheStandbyIsUnknown) {
  const auto change = submission();
  await_a_standby();
  auto answer = send(change);
  database().run("SELECT pg_cancel_backend(" + who_waits() + ")");
  EXPECT_EQ(refusal(answer.get()), "unknown_commit");
  forget_the_standby();
  EXPECT_TRUE(commit(change).is_replay);
}

TEST_P(ConnectionsTest, ARepetitionIsNoBetterThanTheCommitThatItRepeats) {
  auto change = submission();
  change.idempotency = Idempotency{id<KeyId>(), "once", Sha256{1}, now()};
  await_a_standby();
  for (int asked = 1; asked <= 2; ++asked) {
    auto answer = send(change);
    const auto waiting = who_waits_for(answer);
    if (!waiting.empty()) database().run("SELECT pg_cancel_backend(" + waiting + ")");
    EXPECT_EQ(refusal(answer.get()), "unknown_commit") << "asked for the " << asked << ". time";
  }
  forget_the_standby();
  EXPECT_TRUE(commit(change).is_replay);
}

TEST_P(ConnectionsTest, WhatIsCommittedIsNotSaidToBeRefusedBecauseOfWhatCameAfter) {
  go_on_as_somebody();
  EXPECT_EQ(refusal(try_commit(submission())), "ok");
  const auto since = database().run("SELECT clock_timestamp()");
  database().run(
      "REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text)"
      " FROM PUBLIC");
  const auto change = submission();
  auto answer = send(change);
  // It is committed, and that it is durable could not be asked.
  while (!is_there(answer)) {
    const auto refused = database().run(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'"
        " AND query LIKE 'SELECT pg_logical_emit_message%' AND query_start > '" +
        since + "'");
    if (!refused.empty()) break;
    std::this_thread::yield();
  }
  database().run(
      "GRANT EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text)"
      " TO PUBLIC");
  EXPECT_EQ(refusal(answer.get()), "ok");
  EXPECT_EQ(stats().jobs, 2);
  EXPECT_EQ(must(store().find_job(project_, change.job.id)).id, change.job.id);
}

TEST_P(ConnectionsTest, ANodeThatStopsInItsTurnHoldsTheOthersUpOnlyUntilItsSessionIsEnded) {
  // As a node makes it, up to where it was stopped.
  const std::string begun = sql::settings_for("false") +
                            "; BEGIN; SELECT pg_advisory_xact_lock(x'4368726f6e6f73'::bigint)";
  const std::unique_ptr<PGconn, decltype(&PQfinish)> stopped(PQconnectdb(store_.url().c_str()),
                                                             PQfinish);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(stopped.get(), begun.c_str()),
                                                             PQclear);
  ASSERT_EQ(PQresultStatus(result.get()), PGRES_TUPLES_OK) << PQerrorMessage(stopped.get());
  auto answer = send(submission());
  const auto who_has_to_wait = [&] {
    return database().run(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        " AND NOT granted AND database = (SELECT oid FROM pg_database"
        " WHERE datname = current_database())");
  };
  while (who_has_to_wait() == "0") ASSERT_FALSE(is_there(answer)) << "it did not wait";
  EXPECT_EQ(refusal(answer.get()), "ok");
}

TEST_P(ConnectionsTest, WhatWasToBeToldWhenTheConnectionBrokeIsToldOverTheNext) {
  std::promise<void> woken;
  std::atomic<int> wakes = 0;
  other().on_change([&] {
    if (++wakes == 1) woken.set_value();
  });
  await_a_standby();
  // Notices are committed one at a time in the whole server, and this one waits for the standby.
  auto first = std::async(std::launch::async, [] {
    PostgresDatabase::administrate(
        "SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'somebody', '');"
        "SELECT pg_notify('somebody', '')");
  });
  const auto find = [&](const std::string& what) {
    while (true) {
      auto pid = database().run("SELECT pid FROM pg_stat_activity WHERE " + what);
      if (!pid.empty()) return pid;
      std::this_thread::yield();
    }
  };
  const auto holder = find("wait_event = 'SyncRep' AND datname = 'postgres'");
  auto answer = send(submission());
  database().run("SELECT pg_cancel_backend(" + who_waits() + ")");
  EXPECT_EQ(refusal(answer.get()), "unknown_commit");
  const auto teller = find(
      "wait_event_type = 'Lock' AND datname = current_database()"
      " AND query LIKE '%pg_notify%'");
  database().run("SELECT pg_terminate_backend(" + teller + ", 5000)");
  database().run("SELECT pg_cancel_backend(" + holder + ")");
  first.get();
  forget_the_standby();
  woken.get_future().wait();
  other().stop();
}

TEST_P(ConnectionsTest, WhatMayHaveBeenClaimedUnknownIsGivenBack) {
  const auto submitted = submit_ready();
  commit(Heartbeat{holder_, 15s});
  await_a_standby();
  auto answer = send(claim_change());
  database().run("SELECT pg_cancel_backend(" + who_waits() + ")");
  EXPECT_EQ(refusal(answer.get()), "unknown_commit");
  forget_the_standby();
  EXPECT_EQ(stats().leased, 1);
  const auto again = claim_one();
  EXPECT_EQ(again.job, submitted.id);
  EXPECT_EQ(again.attempt, 1);
}

TEST_P(ConnectionsTest, TwoThatOpenANewDatabaseAtOnceMakeOneSchema) {
  for (int round = 0; round < 5; ++round) {
    PostgresDatabase fresh(PostgresDatabase::Holds::nothing);
    race(4, [&](int) { must(open_store(fresh.url(), clock_)); });
  }
}

TEST_P(ConnectionsTest, ADatabaseThatIsNotInUtf8IsRefused) {
  PostgresDatabase::administrate(
      "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
  const auto opened = open_store("postgres:///ascii", clock_);
  PostgresDatabase::administrate("DROP DATABASE ascii WITH (FORCE)");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("UTF-8"), std::string::npos) << opened.error().message;
}

TEST_P(ConnectionsTest, NoServerIsAnError) {
  const auto opened = open_store("postgres://nobody@127.0.0.1:1/none", clock_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, Reason::store_unavailable);
}

}  // namespace
}  // namespace chronos::store
