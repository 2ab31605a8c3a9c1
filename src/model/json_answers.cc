// What the API answers: jobs, runs, keys and projects as JSON; and messages as the store keeps
// them.
#include <array>
#include <span>

#include "base/fields.h"
#include "base/silence.h"
#include "base/time_text.h"
#include "model/job_version.h"
#include "model/json_codec.h"

namespace chronos {

namespace {

using fields::Field;
using fields::row;
using fields::write_value;

constexpr std::array kCountFields = {
    row<&JobCounts::succeeded>("succeeded"), row<&JobCounts::failed>("failed"),
    row<&JobCounts::cancelled>("cancelled"), row<&JobCounts::skipped>("skipped"),
    row<&JobCounts::missed>("missed"),       row<&JobCounts::running>("running"),
};

void write_counts(json::Writer& writer, const JobCounts& counts) {
  static const fields::Silence<JobCounts> kSilent(kCountFields);
  writer.begin_object();
  kSilent.write_members(writer, counts);
  writer.end_object();
}

void write_warnings(json::Writer& writer, const std::vector<FieldError>& warnings) {
  writer.begin_array();
  for (const auto& warning : warnings) {
    writer.begin_object().member("code", warning.code).member("detail", warning.message);
    if (!warning.pointer.empty()) writer.member("pointer", warning.pointer);
    writer.end_object();
  }
  writer.end_array();
}

void write_attempt(json::Writer& writer, const Attempt& attempt) {
  writer.begin_object().member("number", attempt.number);
  writer.member("state", to_string(attempt.outcome.kind)).member("node", attempt.node);
  writer.key("started_at");
  write_value(writer, attempt.started_at);
  writer.key("ended_at");
  write_value(writer, attempt.ended_at);
  writer.member("reason", attempt.outcome.reason).member("error", attempt.outcome.error);
  writer.key("exit_code");
  write_value(writer, attempt.outcome.exit_code);
  writer.key("signal");
  write_value(writer, attempt.outcome.signal);
  writer.key("http_status");
  write_value(writer, attempt.outcome.http_status);
  writer.end_object();
}

void write_lateness(json::Writer& writer, const Run& run) {
  writer.key("lateness_ms");
  if (!run.lateness) {
    writer.null();
    return;
  }
  writer.number(static_cast<double>(run.lateness->count()) / 1000);
}

void write_blocker(json::Writer& writer, const Blocker& blocker) {
  const auto text = [&](const json::Name& name, const std::string& value) {
    writer.key(name);
    value.empty() ? writer.null() : writer.string(value);
  };
  writer.begin_object().member("kind", blocker.kind);
  text("id", blocker.id);
  text("name", blocker.name);
  writer.key("runs").begin_array();
  for (const auto& run : blocker.runs) writer.string(run.to_string());
  writer.end_array().key("in_use");
  write_value(writer, blocker.in_use);
  writer.key("max");
  write_value(writer, blocker.max);
  writer.key("ahead");
  write_value(writer, blocker.ahead);
  writer.end_object();
}

constexpr std::array kMessageFields = {
    row<&Message::event>("event"),
    row<&Message::project>("project"),
    row<&Message::job_id>("job_id"),
    row<&Message::job_name>("job_name"),
    row<&Message::run_id>("run_id"),
    row<&Message::state>("state"),
    row<&Message::error>("error"),
    row<&Message::attempts>("attempts"),
    row<&Message::planned_at>("planned_at"),
    row<&Message::ended_at>("ended_at"),
    row<&Message::output_tail>("output_tail"),
};

}  // namespace

void write_job(json::Writer& writer, const Job& job, std::string_view project,
               const std::vector<FieldError>& warnings) {
  writer.begin_object().member("id", job.id.to_string()).member("project", project);
  writer.member("status", to_string(job.status));
  write_spec_members(writer, job.spec);
  writer.key("created_at");
  write_value(writer, job.created_at);
  writer.key("updated_at");
  write_value(writer, job.updated_at);
  writer.member("version", job.version);
  writer.key("next_run_at");
  write_value(writer, job.next_run_at);
  writer.key("last_run");
  if (job.last_run) {
    writer.begin_object().member("id", job.last_run->id.to_string());
    writer.member("state", to_string(job.last_run->state)).key("ended_at");
    write_value(writer, job.last_run->ended_at);
    writer.member("error", job.last_run->error).end_object();
  } else {
    writer.null();
  }
  writer.key("counts");
  write_counts(writer, job.counts);
  writer.key("warnings");
  write_warnings(writer, warnings);
  writer.end_object();
}

void write_job_version(json::Writer& writer, const JobVersion& version) {
  writer.begin_object().member("version", version.version).key("at");
  write_value(writer, version.at);
  writer.key("by");
  if (version.by) {
    writer.begin_object().member("key", version.by->to_string());
    writer.member("name", version.by_name).end_object();
  } else {
    writer.null();
  }
  writer.key("declaration").begin_object();
  write_spec_members(writer, version.spec);
  writer.end_object().end_object();
}

void write_run(json::Writer& writer, const Run& run) {
  writer.begin_object().member("id", run.id.to_string()).member("job_id", run.job.to_string());
  writer.member("job_name", run.job_name).member("trigger", to_string(run.trigger));
  writer.member("state", to_string(run.state)).member("reason", run.reason);
  const auto time = [&](const json::Name& name, const auto& value) {
    writer.key(name);
    write_value(writer, value);
  };
  time("planned_at", known_instant(run.planned_at));
  writer.member("jitter_ms", run.jitter / std::chrono::milliseconds(1));
  time("planned_until", run.planned_until);
  writer.member("count", run.count);
  time("queued_at", run.queued_at);
  time("started_at", run.started_at);
  time("ended_at", run.ended_at);
  time("next_attempt_at", run.next_attempt_at);
  write_lateness(writer, run);
  writer.member("attempts_made", run.attempts_made).member("node", run.node);
  writer.member("error", run.error);
  writer.key("exit_code");
  write_value(writer, run.exit_code);
  writer.key("http_status");
  write_value(writer, run.http_status);
  writer.key("retry_of");
  run.retry_of ? writer.string(run.retry_of->to_string()) : writer.null();
  writer.member("cancel_requested", run.is_cancel_requested);
  if (!run.attempts.empty()) {
    writer.key("attempts").begin_array();
    for (const auto& attempt : run.attempts) write_attempt(writer, attempt);
    writer.end_array();
  }
  writer.end_object();
}

void write_why_members(json::Writer& writer, const Explanation& why) {
  writer.member("code", to_string(why.code)).member("text", why.text).key("blocker");
  if (why.blocker) {
    write_blocker(writer, *why.blocker);
  } else {
    writer.null();
  }
  writer.key("unblocked_by");
  why.unblocked_by.empty() ? writer.null() : writer.string(why.unblocked_by);
  writer.key("since");
  write_value(writer, why.since);
  writer.key("until");
  write_value(writer, why.until);
}

void write_key(json::Writer& writer, const Key& key) {
  writer.begin_object().member("id", key.id.to_string()).member("name", key.name);
  writer.member("role", to_string(key.role));
  const auto time = [&](const json::Name& name, const auto& value) {
    writer.key(name);
    write_value(writer, value);
  };
  time("created_at", key.created_at);
  time("expires_at", key.expires_at);
  time("revoked_at", key.revoked_at);
  time("last_used_at", key.last_used_at);
  writer.end_object();
}

void write_project(json::Writer& writer, const Project& project) {
  writer.begin_object().member("id", project.id.to_string()).member("name", project.name);
  writer.key("created_at");
  write_value(writer, project.created_at);
  writer.end_object();
}

std::string encode_message(const Message& message) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  fields::write_members(std::span<const Field<Message>>(kMessageFields), writer, message);
  writer.end_object();
  return text;
}

Result<Message> decode_message(std::string_view text) {
  CHRONOS_TRY(const auto document, json::parse(text));
  Message message;
  std::vector<FieldError> problems;
  fields::read_object(std::span<const Field<Message>>(kMessageFields), document.root(), message,
                      fields::Place(problems));
  if (problems.empty()) return message;
  return fail(Reason::internal, "a stored message cannot be read");
}

}  // namespace chronos
