#include "model/json_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/time_text.h"

namespace chronos {

void write_spec_members(json::Writer& writer, const JobSpec& spec);  // json_codec.cc

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAction = R"("action": {"kind":"http","url":"http://127.0.0.1/"})";

Result<JobSpec> read(std::string_view members, SpecUse use = SpecUse::submit, JobSpec base = {}) {
  const auto text = "{" + std::string(members) + "}";
  const auto document = json::parse(text);
  EXPECT_TRUE(document) << text;
  if (const auto done = read_spec(document->root(), use, {}, base); !done)
    return std::unexpected(done.error());
  return base;
}

Result<JobSpec> submit(std::string_view members) {
  return read(R"("name":"x",)" + std::string(kAction) + (members.empty() ? "" : ",") +
              std::string(members));
}

// The one problem found, as "pointer code".
std::string problem_of(const Result<JobSpec>& result) {
  if (result) return "none";
  const auto& fields = result.error().fields;
  return fields.size() == 1 ? fields[0].pointer + " " + fields[0].code
                            : std::to_string(fields.size()) + " problems";
}

std::string written(const JobSpec& spec) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  write_spec_members(writer, spec);
  writer.end_object();
  return text;
}

// What a job does not say is written from a text that was made once: whichever members are said,
// they stand in their places.
TEST(JsonCodec, WritesEveryFieldInItsPlaceWhicheverAreSaid) {
  const auto said = decode_spec(R"({"name":"x","key":"k",)" + std::string(kAction) +
                                R"(,"payload":[1],"scheduled_time":"2026-01-01T00:00:00.000Z",
    "cron":"0 2 * * *","every":"1h","timezone":"Europe/Berlin","dst":"skip",
    "start_at":"2026-01-01T00:00:00.000Z","end_at":"2027-01-01T00:00:00.000Z","jitter":"5s",
    "calendars":["c"],"max_runs":7,"max_attempts":5,"retry":{"delay":"2s"},"timeout":"90s",
    "deadline":"10m","on_lost":"fail","misfire":{"max":5},"overlap":"queue_one","queue":"mail",
    "priority":9,"concurrency":{"key":"k","max":2},"rate":{"key":"r","max":2,"per":"1s"},
    "unique":{"key":"u"},"notify":[{"email":["a@example.com"]}],"tags":["t"],
    "metadata":{"team":"x"},"retention":{"runs":5},"paused":true,
    "paused_until":"2027-01-01T00:00:00.000Z","note":"n"})");
  ASSERT_TRUE(said) << said.error().message;
  JobSpec silent;
  silent.action = said->action;  // without one nothing is JSON
  const auto loud = json::parse(written(*said));
  const auto quiet = json::parse(written(silent));
  ASSERT_TRUE(loud && quiet);
  const auto& members = loud->root().members;
  ASSERT_EQ(members.size(), spec_field_names().size() - 1);  // "cron_expression" is "cron"
  ASSERT_EQ(members.size(), quiet->root().members.size());
  for (std::size_t a = 0; a < members.size(); ++a) {
    if (members[a].name != "action") {
      EXPECT_NE(members[a].value.raw, quiet->root().members[a].value.raw) << members[a].name;
    }
    for (std::size_t b = a; b < members.size(); ++b) {
      std::string stored;
      std::string expected;
      json::Writer to_store(stored);
      json::Writer to_expected(expected);
      to_store.begin_object();
      to_expected.begin_object();
      for (std::size_t i = 0; i < members.size(); ++i) {
        const auto& [name, value] = members[i];
        const bool is_said = i == a || i == b;
        if (is_said) to_store.key(name).raw(value.raw);
        to_expected.key(name).raw(is_said ? value.raw : quiet->root().members[i].value.raw);
      }
      to_store.end_object();
      to_expected.end_object();
      auto spec = decode_spec(stored);
      ASSERT_TRUE(spec) << spec.error().message;
      spec->action = said->action;
      EXPECT_EQ(written(*spec), expected);
    }
  }
}

TEST(JsonCodec, ReadsEveryField) {
  const auto spec = submit(R"("key":"k-1","payload":{"a": 1.50},"cron":["0 2 * * *","0 3 * * *"],
    "timezone":"Europe/Berlin","dst":"skip",
    "start_at":"2026-01-01T00:00:00Z","end_at":"2027-01-01T00:00:00Z","max_runs":7,
    "max_attempts":5,
    "retry":{"backoff":"fixed","delay":"2s","max_delay":60,"jitter":"none",
    "max_age":"1h","on":["http:5xx","lost"]},
    "timeout":"90s","deadline":"PT10M","on_lost":"fail",
    "misfire":{"policy":"run_all","grace":"5s","window":"1h","max":5},"overlap":"queue_one",
    "queue":"mail",
    "priority":9,
    "notify":[{"on":"failure","after":2,"email":["a@example.com"],"channel":"hook"}],
    "tags":["t"],"metadata":{"team":"x"},"retention":{"runs":5,"age":"1d"},
    "paused":true,"note":"n")");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->payload, R"({"a": 1.50})");
  EXPECT_EQ(spec->schedule.cron.size(), 2u);
  EXPECT_EQ(spec->schedule.dst, DstPolicy::skip);
  EXPECT_EQ(spec->retry.max_delay, 60s);
  EXPECT_EQ(spec->deadline, 10min);
  EXPECT_EQ(spec->misfire.max, 5);
  EXPECT_EQ(spec->overlap, Overlap::queue_one);
  EXPECT_EQ(spec->notify.at(0).after, 2);
  EXPECT_EQ(spec->retention.age, 24h);

  // What the store keeps comes back as it was.
  auto kept = decode_spec(encode_spec(*spec));
  ASSERT_TRUE(kept) << kept.error().message;
  kept->payload = spec->payload;
  EXPECT_EQ(encode_spec(*kept), encode_spec(*spec));
  EXPECT_EQ(kept->schedule, spec->schedule);
}

TEST(JsonCodec, DefaultsAreThoseOfTheProduct) {
  const auto spec = submit("");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->max_attempts, 3);
  EXPECT_EQ(spec->timeout, 5min);
  EXPECT_EQ(spec->retry, RetryPolicy{});
  EXPECT_EQ(spec->misfire, MisfirePolicy{});
  EXPECT_EQ(spec->overlap, Overlap::skip);
  EXPECT_EQ(spec->queue, "default");
  EXPECT_EQ(spec->priority, 4);
}

TEST(JsonCodec, WhatIsNotSaidIsNotStored) {
  const auto spec = submit("");
  ASSERT_TRUE(spec);
  EXPECT_EQ(encode_spec(*spec),
            R"({"name":"x","action":{"kind":"http","url":"http://127.0.0.1/"}})");
  EXPECT_EQ(encode_spec(JobSpec{}), "{}");
}

// Jobs that were stored without these go by them: to change one, write what the old one was into
// the jobs that are stored (a migration), and only then change this text.
TEST(JsonCodec, StoredJobsRelyOnTheseDefaults) {
  auto spec = decode_spec("{}");
  ASSERT_TRUE(spec) << spec.error().message;
  spec->action.config = "{}";
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  write_spec_members(writer, *spec);
  writer.end_object();
  EXPECT_EQ(text,
            R"({"name":"","key":null,"action":{},"payload":null,"scheduled_time":null,"cron":null,)"
            R"("every":null,"timezone":"UTC","dst":"auto","start_at":null,"end_at":null,)"
            R"("jitter":null,"calendars":[],"max_runs":null,"max_attempts":3,)"
            R"("retry":{"backoff":"exponential","delay":"1s","max_delay":"1h","jitter":"full",)"
            R"("max_age":null,"on":[]},"timeout":"5m","deadline":null,"on_lost":"retry",)"
            R"("misfire":{"policy":"run_once","grace":"1m","window":"1d","max":1000},)"
            R"("overlap":"skip","queue":"default","priority":4,"concurrency":null,"rate":null,)"
            R"("unique":null,"notify":[],)"
            R"("tags":[],"metadata":{},"retention":{"runs":10000,"age":"30d"},"paused":false,)"
            R"("paused_until":null,"note":""})");
  EXPECT_EQ(to_micros(spec->schedule.anchor), 0);
  EXPECT_EQ(spec->schedule.seed, "");
}

// Words of an older version, which never matched anything.
TEST(JsonCodec, AStoredRetryFilterIsReadWhateverItIs) {
  const auto stored = decode_spec(
      R"({"name":"x","action":{"kind":"http","url":"http://127.0.0.1/"},"retry":{"on":["policy"]}})");
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->retry.on, std::vector<std::string>{"policy"});
  EXPECT_EQ(encode_spec(*stored).contains(R"("on":["policy"])"), true);
  EXPECT_TRUE(read(R"("priority":1)", SpecUse::patch, *stored))
      << "the change is of something else";
  EXPECT_TRUE(read(R"("retry":{"delay":"5s"})", SpecUse::patch, *stored));
}

TEST(JsonCodec, EveryBadFieldIsNamed) {
  struct Row {
    std::string_view members;
    std::string_view problem;
  };
  for (const auto& [members, problem] : {
           Row{R"("max_attempts":-1)", "/max_attempts out_of_range"},
           Row{R"("max_attempts":1001)", "/max_attempts out_of_range"},
           Row{R"("max_attempts":"3")", "/max_attempts wrong_type"},
           Row{R"("max_attempts":1.5)", "/max_attempts wrong_type"},
           Row{R"("max_atempts":1)", "/max_atempts unknown_field"},
           Row{R"("priority":10)", "/priority out_of_range"},
           Row{R"("scheduled_time":"2026-01-01T00:00:00")", "/scheduled_time offset_missing"},
           Row{R"("scheduled_time":"soon")", "/scheduled_time bad_time"},
           Row{R"("scheduled_time":"2026-01-01T00:00:00Z","cron":"* * * * *")", " one_of"},
           Row{R"("cron":"* * * * *","cron_expression":"* * * * *")", "/cron_expression one_of"},
           Row{R"("cron":[])", "/cron too_short"},
           Row{R"("cron":7)", "/cron wrong_type"},
           Row{R"("every":"500ms")", "/every out_of_range"},
           Row{R"("every":"often")", "/every bad_duration"},
           Row{R"("timeout":true)", "/timeout wrong_type"},
           Row{R"("retry":{"on":["sometimes"]})", "/retry/on/0 unknown_value"},
           Row{R"("retry":{"on":["dns","too_large"]})", "/retry/on/1 unknown_value"},
           Row{R"("retry":{"on":["policy"]})", "/retry/on/0 unknown_value"},
           Row{R"("retry":{"backof":"fixed"})", "/retry/backof unknown_field"},
           Row{R"("overlap":"never")", "/overlap unknown_value"},
           Row{R"("dst":"both")", "/dst unknown_value"},
           Row{R"("queue":"a b")", "/queue bad_slug"},
           Row{R"("notify":[{"on":"failure"}])", "/notify/0 required"},
           Row{R"("notify":[{"on":"recovery","email":["a@b"]}])", "/notify/0/on not_supported_yet"},
           Row{R"("notify":[{"email":["a@b\r\nBcc: c@d"]}])", "/notify/0/email/0 bad_email"},
           Row{R"("jitter":"5s")", "/jitter not_applicable"},
           Row{R"("cron":"@daily","jitter":"soon")", "/jitter bad_duration"},
           Row{R"("cron":"@daily","jitter":"2d")", "/jitter out_of_range"},
           Row{R"("cron":"@daily","jitter":{"mode":"stable"})", "/jitter/max required"},
           Row{R"("cron":"@daily","jitter":{"max":"1h","mode":"x"})", "/jitter/mode unknown_value"},
           Row{R"("cron":"@daily","jitter":"1h","deadline":"1h")", "/deadline out_of_range"},
           Row{R"("paused_until":"soon")", "/paused_until bad_time"},
           Row{R"("paused":false,"paused_until":"2026-01-01T00:00:00Z")",
               "/paused_until not_applicable"},
           Row{R"("after":[])", "/after not_supported_yet"},
           Row{R"("concurrency":"k")", "/concurrency wrong_type"},
           Row{R"("concurrency":{"max":1})", "/concurrency/key required"},
           Row{R"("concurrency":{"key":"k"})", "/concurrency/max required"},
           Row{R"("concurrency":{"key":"","max":1})", "/concurrency/key too_short"},
           Row{R"("concurrency":{"key":"k","max":0})", "/concurrency/max out_of_range"},
           Row{R"("concurrency":{"key":"k","max":1,"per":"1s"})", "/concurrency/per unknown_field"},
           Row{R"("rate":{"key":"k","max":5})", "/rate/per required"},
           Row{R"("rate":{"key":"k","max":5,"per":"40d"})", "/rate/per out_of_range"},
           Row{R"("rate":{"key":"k","max":5,"per":"soon"})", "/rate/per bad_duration"},
           Row{R"("rate":{"key":"k","max":100001,"per":"1s"})", "/rate/max out_of_range"},
           Row{R"("start_at":"2026-01-01T00:00:00Z")", "/start_at not_applicable"},
           Row{R"("metadata":{"a":1})", "/metadata/a wrong_type"},
           Row{R"("tags":["\u0000"])", "/tags/0 bad_character"},
       }) {
    EXPECT_EQ(problem_of(submit(members)), problem) << members;
  }
  EXPECT_EQ(problem_of(read(kAction)), "/name required");
  EXPECT_EQ(problem_of(read(R"("name":"x")")), "/action required");
  EXPECT_EQ(problem_of(read(R"("name":"x","action":{"url":"u"})")), "/action/kind required");
}

TEST(JsonCodec, EveryProblemIsFoundAtOnceAndTheNearestNameOffered) {
  const auto result = submit(R"("max_attempts":-1,"prioritty":3)");
  ASSERT_FALSE(result);
  ASSERT_EQ(result.error().fields.size(), 2u);
  EXPECT_NE(result.error().fields[1].hint.find("'priority'"), std::string::npos);
}

TEST(JsonCodec, PayloadHasALimit) {
  EXPECT_EQ(problem_of(submit(R"("payload":")" + std::string(256 * 1024 - 2, 'x') + "\"")), "none");
  EXPECT_EQ(problem_of(submit(R"("payload":")" + std::string(256 * 1024 - 1, 'x') + "\"")),
            "/payload too_long");
}

TEST(JsonCodec, RetentionIsTheServersUnlessTheJobSays) {
  SpecRules rules;
  rules.retention = {.runs = 7, .age = std::chrono::hours(2)};
  const auto retention_of = [&](std::string_view members, SpecUse use, JobSpec spec) {
    const auto document = json::parse(members);
    EXPECT_TRUE(read_spec(document->root(), use, rules, spec));
    return spec.retention;
  };
  const auto declared = [](std::string_view more) {
    return R"({"name":"x","action":{"kind":"http"})" + std::string(more) + "}";
  };
  EXPECT_EQ(retention_of(declared(""), SpecUse::submit, {}), rules.retention);
  EXPECT_EQ(retention_of(declared(R"(,"retention":{"runs":3})"), SpecUse::submit, {}),
            (Retention{3, std::chrono::hours(2)}));
  JobSpec stored;
  stored.retention = {3, std::chrono::hours(9)};
  EXPECT_EQ(retention_of(R"({"priority":1})", SpecUse::patch, stored), stored.retention);
  EXPECT_EQ(retention_of(R"({"retention":null})", SpecUse::patch, stored), rules.retention);
}

TEST(JsonCodec, AnUnsupportedFieldAloneSaysSo) {
  EXPECT_EQ(submit(R"("after":{})").error().reason, Reason::not_supported_yet);
  EXPECT_EQ(submit(R"("after":{},"priority":99)").error().reason, Reason::invalid_fields);
}

TEST(JsonCodec, RescheduleReplacesTheWholeSchedule) {
  const auto stored =
      submit(R"("cron":"0 2 * * *","timezone":"Europe/Berlin","max_runs":3,"priority":7)");
  const auto moved =
      read(R"("scheduled_time":"2026-05-01T00:00:00Z")", SpecUse::reschedule, *stored);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_TRUE(moved->schedule.cron.empty());
  EXPECT_EQ(moved->schedule.timezone, "UTC");
  EXPECT_FALSE(moved->max_runs);
  EXPECT_EQ(moved->priority, 7);
  EXPECT_EQ(problem_of(read(R"("priority":1)", SpecUse::reschedule, *stored)), " required");
}

TEST(JsonCodec, PatchChangesWhatItNames) {
  const auto stored = submit(R"("cron":"0 2 * * *","timezone":"Europe/Berlin","note":"n")");
  const auto patched = read(R"("every":"1h","note":null)", SpecUse::patch, *stored);
  ASSERT_TRUE(patched) << patched.error().message;
  EXPECT_TRUE(patched->schedule.cron.empty());
  EXPECT_EQ(patched->schedule.every, 1h);
  EXPECT_EQ(patched->schedule.timezone, "Europe/Berlin");
  EXPECT_EQ(patched->note, "");
}

TEST(JsonCodec, JitterIsADurationOrAnObject) {
  const auto random = submit(R"("cron":"@daily","jitter":"30s")");
  EXPECT_EQ(random->schedule.jitter, StartJitter{.max = 30s});
  const auto stable = submit(R"("cron":"@daily","jitter":{"max":"5m","mode":"stable"})");
  EXPECT_EQ(stable->schedule.jitter, (StartJitter{.max = 5min, .mode = JitterMode::stable}));
  EXPECT_EQ(decode_spec(encode_spec(*stable))->schedule.jitter, stable->schedule.jitter);
  EXPECT_FALSE(read(R"("jitter":null)", SpecUse::patch, *stable)->schedule.jitter);
  EXPECT_FALSE(read(R"("cron":"@weekly")", SpecUse::reschedule, *stable)->schedule.jitter);
  EXPECT_TRUE(read(R"("cron":"@weekly")", SpecUse::patch, *stable)->schedule.jitter);
}

TEST(JsonCodec, PausedUntilPausesAndGoesWithThePause) {
  const auto until = *parse_timestamp("2026-05-01T00:00:00Z");
  const auto stored = submit(R"("paused_until":"2026-05-01T00:00:00Z")");
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_TRUE(stored->paused);
  EXPECT_EQ(stored->paused_until, until);
  EXPECT_EQ(read(R"("note":"x")", SpecUse::patch, *stored)->paused_until, until);
  EXPECT_FALSE(read(R"("paused":false)", SpecUse::patch, *stored)->paused_until);
  const auto for_good = read(R"("paused_until":null)", SpecUse::patch, *stored);
  EXPECT_TRUE(for_good->paused);
  EXPECT_FALSE(for_good->paused_until);
  EXPECT_EQ(decode_spec(encode_spec(*stored))->paused_until, until);
}

TEST(JsonCodec, AOneTimeIsRoundedUpNeverDown) {
  const auto spec = submit(R"("scheduled_time":"2026-05-01T00:00:00.0001Z")");
  EXPECT_EQ(to_micros(*spec->schedule.at) % 1'000'000, 1'000);
}

}  // namespace
}  // namespace chronos
