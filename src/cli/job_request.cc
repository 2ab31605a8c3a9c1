#include "cli/job_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/time_text.h"

namespace chronos::cli {
namespace {

constexpr std::size_t kNameBytesMax = 200;  // product.md §3

std::unexpected<Error> refuse(std::string message, std::string hint = {}) {
  return fail(Reason::bad_request, std::move(message), std::move(hint));
}

std::string json_string(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string json_list(const std::vector<std::string>& values) {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (const auto& value : values) writer.string(value);
  writer.end_array();
  return out;
}

// An object under construction: members in order, values as JSON text.
class ObjectDraft {
 public:
  ObjectDraft() = default;
  explicit ObjectDraft(const json::Value* value) {
    if (value == nullptr) return;
    for (const auto& member : value->members) set(member.name, std::string(member.value.raw));
  }

  void set(std::string_view name, std::string json) {
    const auto found = std::ranges::find(members_, name, &Entry::first);
    if (found != members_.end()) {
      found->second = std::move(json);
    } else {
      members_.emplace_back(name, std::move(json));
    }
  }
  void set_text(std::string_view name, const std::optional<std::string>& text) {
    if (text) set(name, json_string(*text));
  }
  void set_number(std::string_view name, const std::optional<std::int64_t>& number) {
    if (number) set(name, std::to_string(*number));
  }
  void set_list(std::string_view name, const std::vector<std::string>& values) {
    if (!values.empty()) set(name, json_list(values));
  }
  void set_object(std::string_view name, const ObjectDraft& object) {
    if (!object.members_.empty()) set(name, object.to_json());
  }
  void erase(std::string_view name) {
    std::erase_if(members_, [&](const Entry& entry) { return entry.first == name; });
  }
  bool has(std::string_view name) const {
    return std::ranges::find(members_, name, &Entry::first) != members_.end();
  }

  std::string to_json() const {
    std::string out;
    json::Writer writer(out);
    writer.begin_object();
    for (const auto& [name, value] : members_) writer.key(name).raw(value);
    writer.end_object();
    return out;
  }

 private:
  using Entry = std::pair<std::string, std::string>;
  std::vector<Entry> members_;
};

struct Pair {
  std::string name;
  std::string value;
};

Result<Pair> split_pair(const std::string& text, char separator, std::string_view flag) {
  const auto at = text.find(separator);
  if (at == std::string::npos || at == 0) {
    return refuse(fmt::format("{} '{}' has no '{}' between name and value", flag, text, separator));
  }
  auto value = text.substr(at + 1);
  if (separator == ':') value.erase(0, value.find_first_not_of(" \t"));
  return Pair{text.substr(0, at), std::move(value)};
}

Result<ObjectDraft> object_of(const std::vector<std::string>& pairs, char separator,
                              std::string_view flag) {
  ObjectDraft object;
  for (const auto& text : pairs) {
    CHRONOS_TRY(const auto pair, split_pair(text, separator, flag));
    object.set(pair.name, json_string(pair.value));
  }
  return object;
}

// "@path" is the file's content; anything else is itself.
Result<std::string> text_or_file(const std::string& text, const JobRequestInputs& inputs) {
  if (!text.starts_with('@')) return text;
  return inputs.read_file(text.substr(1));
}

// -- Parts of a declaration
// --------------------------------------------------------------------------

Result<void> add_schedule(ObjectDraft& job, const ScheduleFlags& flags, Timestamp now) {
  const int choices = (flags.at ? 1 : 0) + (flags.in ? 1 : 0) + (flags.cron.empty() ? 0 : 1) +
                      (flags.every ? 1 : 0);
  if (choices > 1) return refuse("only one of --at, --in, --cron and --every may be given");
  if (choices == 1) {
    for (const auto* name : {"scheduled_time", "cron", "cron_expression", "every"}) job.erase(name);
  }
  job.set_text("scheduled_time", flags.at);
  if (flags.in) {
    const auto wait = parse_duration(*flags.in);
    if (!wait) return refuse("--in: " + wait.error().message, wait.error().hint);
    job.set("scheduled_time", json_string(format_timestamp(now + *wait)));
  }
  if (flags.cron.size() == 1) {
    job.set("cron", json_string(flags.cron.front()));
  } else {
    job.set_list("cron", flags.cron);
  }
  job.set_text("every", flags.every);
  job.set_text("timezone", flags.timezone);
  job.set_text("dst", flags.dst);
  job.set_text("start_at", flags.start_at);
  job.set_text("end_at", flags.end_at);
  job.set_text("jitter", flags.jitter);
  job.set_list("calendars", flags.calendars);
  job.set_number("max_runs", flags.max_runs);
  return {};
}

void add_policy(ObjectDraft& job, const PolicyFlags& flags, const json::Value* base) {
  const auto inner = [&](std::string_view name) {
    return ObjectDraft(base == nullptr ? nullptr : base->find(name));
  };
  job.set_number("max_attempts", flags.max_attempts);
  auto retry = inner("retry");
  retry.set_text("backoff", flags.retry_backoff);
  retry.set_text("delay", flags.retry_delay);
  retry.set_text("max_delay", flags.retry_max_delay);
  retry.set_text("jitter", flags.retry_jitter);
  retry.set_text("max_age", flags.retry_max_age);
  retry.set_list("on", flags.retry_on);
  job.set_object("retry", retry);
  job.set_text("timeout", flags.timeout);
  job.set_text("deadline", flags.deadline);
  job.set_text("on_lost", flags.on_lost);
  auto misfire = inner("misfire");
  misfire.set_text("policy", flags.misfire);
  misfire.set_text("grace", flags.misfire_grace);
  misfire.set_text("window", flags.misfire_window);
  job.set_object("misfire", misfire);
  job.set_text("overlap", flags.overlap);
  job.set_text("queue", flags.queue);
  job.set_number("priority", flags.priority);
  auto concurrency = inner("concurrency");
  concurrency.set_text("key", flags.concurrency_key);
  concurrency.set_number("max", flags.concurrency_max);
  job.set_object("concurrency", concurrency);
  auto rate = inner("rate");
  rate.set_text("key", flags.rate_key);
  rate.set_number("max", flags.rate_max);
  rate.set_text("per", flags.rate_per);
  job.set_object("rate", rate);
  auto unique = inner("unique");
  unique.set_text("key", flags.unique_key);
  unique.set_text("while", flags.unique_while);
  unique.set_text("window", flags.unique_window);
  unique.set_text("on_conflict", flags.on_conflict);
  job.set_object("unique", unique);
}

void add_notify(ObjectDraft& job, const PolicyFlags& flags) {
  if (flags.notify_email.empty() && flags.notify_channel.empty()) return;
  std::string rules;
  json::Writer writer(rules);
  writer.begin_array();
  if (!flags.notify_email.empty()) {
    writer.begin_object().member("on", "failure").key("email").raw(json_list(flags.notify_email));
    writer.end_object();
  }
  for (const auto& channel : flags.notify_channel) {
    writer.begin_object().member("on", "failure").member("channel", channel).end_object();
  }
  writer.end_array();
  job.set("notify", std::move(rules));
}

Result<void> add_http(ObjectDraft& action, const ActionFlags& flags,
                      const JobRequestInputs& inputs) {
  action.set("kind", json_string("http"));
  action.set_text("url", flags.url);
  action.set_text("method", flags.method);
  CHRONOS_TRY(const auto headers, object_of(flags.headers, ':', "--header"));
  action.set_object("headers", headers);
  if (flags.body) {
    CHRONOS_TRY(const auto body, text_or_file(*flags.body, inputs));
    action.set("body", json_string(body));
  }
  return {};
}

Result<void> add_command(ObjectDraft& action, const ActionFlags& flags,
                         const JobRequestInputs& inputs) {
  action.set("kind", json_string("command"));
  action.set_list("argv", flags.argv);
  CHRONOS_TRY(const auto env, object_of(flags.env, '=', "--env"));
  action.set_object("env", env);
  action.set_text("cwd", flags.cwd);
  if (flags.stdin_text) {
    CHRONOS_TRY(const auto text, text_or_file(*flags.stdin_text, inputs));
    action.set("stdin", json_string(text));
  }
  if (flags.shell) action.set("shell", "true");
  return {};
}

Result<void> add_action(ObjectDraft& job, const ActionFlags& flags,
                        const JobRequestInputs& inputs) {
  const bool is_http = flags.url.has_value();
  const bool is_command = !flags.argv.empty();
  if (is_http && is_command)
    return refuse("a job has either --url or a command after --, not both");
  if (!is_http && (flags.method || !flags.headers.empty() || flags.body)) {
    return refuse("--method, --header and --body belong to --url");
  }
  if (!is_command && (!flags.env.empty() || flags.cwd || flags.stdin_text || flags.shell)) {
    return refuse("--env, --cwd, --stdin and --shell belong to a command after --");
  }
  ObjectDraft action;
  if (is_http) CHRONOS_TRY_VOID(add_http(action, flags, inputs));
  if (is_command) CHRONOS_TRY_VOID(add_command(action, flags, inputs));
  job.set_object("action", action);
  return {};
}

Result<void> add_payload(ObjectDraft& job, const std::string& given,
                         const JobRequestInputs& inputs) {
  CHRONOS_TRY(const auto text, text_or_file(given, inputs));
  if (const auto parsed = json::parse(text); !parsed) {
    return refuse(fmt::format("--payload is not JSON: {}", parsed.error().message),
                  "text needs quotes inside the shell's own: --payload '\"text\"'");
  }
  job.set("payload", text);
  return {};
}

// What a job is called whose submitter gave it no name.
std::string name_after(const ActionFlags& action) {
  std::string name;
  if (action.url) {
    name = action.method.value_or("POST") + " " + *action.url;
  } else {
    for (const auto& word : action.argv) name += (name.empty() ? "" : " ") + word;
  }
  auto end = std::min(name.size(), kNameBytesMax);
  const auto is_continuation = [&](std::size_t at) {
    return at < name.size() && (static_cast<unsigned char>(name[at]) & 0xc0U) == 0x80U;
  };
  while (end > 0 && is_continuation(end)) --end;
  return name.substr(0, end);
}

Result<void> add_labels(ObjectDraft& job, const JobFlags& flags, const json::Value* base) {
  job.set_text("name", flags.name);
  if (const auto name = name_after(flags.action); !job.has("name") && !name.empty()) {
    job.set("name", json_string(name));
  }
  job.set_text("key", flags.key);
  job.set_list("tags", flags.tags);
  ObjectDraft metadata(base == nullptr ? nullptr : base->find("metadata"));
  for (const auto& text : flags.metadata) {
    CHRONOS_TRY(const auto pair, split_pair(text, '=', "--meta"));
    metadata.set(pair.name, json_string(pair.value));
  }
  job.set_object("metadata", metadata);
  job.set_text("note", flags.note);
  if (flags.paused) job.set("paused", "true");
  return {};
}

}  // namespace

void declare_schedule(Arguments& arguments, ScheduleFlags& flags) {
  arguments.heading("When");
  arguments.text({"--at", "TIME", "once, at 2026-03-08T07:30:00Z"}, flags.at);
  arguments.text({"--in", "DURATION", "once, in 10s, 5m, 2h30m…"}, flags.in);
  arguments.list({"--cron", "EXPRESSION", "on a cron schedule; may be repeated"}, flags.cron);
  arguments.text({"--every", "DURATION", "at an interval"}, flags.every);
  arguments.text({"--timezone", "ZONE", "of the cron schedule, such as Europe/Berlin"},
                 flags.timezone);
  arguments.text({"--dst", "auto|skip", "what a change of the clocks does"}, flags.dst);
  arguments.text({"--start-at", "TIME", "no run before"}, flags.start_at);
  arguments.text({"--end-at", "TIME", "no run from then on"}, flags.end_at);
  arguments.text({"--jitter", "DURATION", "start each run up to so much later"}, flags.jitter);
  arguments.list({"--calendar", "NAME", "keep to this calendar; may be repeated"}, flags.calendars);
  arguments.number({"--max-runs", "N", "end after so many runs"}, flags.max_runs);
}

void declare_policy(Arguments& arguments, PolicyFlags& flags) {
  arguments.heading("How");
  arguments.number({"--max-attempts", "N", "of one run; 0 = no limit"}, flags.max_attempts);
  arguments.text({"--timeout", "DURATION", "of one attempt"}, flags.timeout);
  arguments.text({"--deadline", "DURATION", "of the whole run"}, flags.deadline);
  arguments.text({"--retry-backoff", "KIND", "exponential, linear or fixed"}, flags.retry_backoff);
  arguments.text({"--retry-delay", "DURATION", "before the second attempt"}, flags.retry_delay);
  arguments.text({"--retry-max-delay", "DURATION", "longest wait"}, flags.retry_max_delay);
  arguments.text({"--retry-jitter", "full|none", "spread of the waits"}, flags.retry_jitter);
  arguments.text({"--retry-max-age", "DURATION", "no attempt later than this"},
                 flags.retry_max_age);
  arguments.list({"--retry-on", "OUTCOME", "worth a retry; may be repeated"}, flags.retry_on);
  arguments.text({"--on-lost", "retry|fail", "when the node dies under it"}, flags.on_lost);
  arguments.text({"--overlap", "POLICY", "skip, queue_one, queue_all, cancel_running or allow"},
                 flags.overlap);
  arguments.text({"--misfire", "POLICY", "run_once, run_all, skip or ask"}, flags.misfire);
  arguments.text({"--misfire-grace", "DURATION", "late by less is not a misfire"},
                 flags.misfire_grace);
  arguments.text({"--misfire-window", "DURATION", "older instants are missed"},
                 flags.misfire_window);
  arguments.text({"--queue", "NAME", "queue"}, flags.queue);
  arguments.number({"--priority", "0-9", "9 first"}, flags.priority);
  arguments.text({"--concurrency-key", "KEY", "runs of this key share --concurrency-max slots"},
                 flags.concurrency_key);
  arguments.number({"--concurrency-max", "N", "so many of them at once"}, flags.concurrency_max);
  arguments.text({"--rate-key", "KEY", "attempts of this key share a rate"}, flags.rate_key);
  arguments.number({"--rate-max", "N", "so many of them start within --rate-per"}, flags.rate_max);
  arguments.text({"--rate-per", "DURATION", "the span"}, flags.rate_per);
  arguments.text({"--unique-key", "KEY", "one job of this key at a time"}, flags.unique_key);
  arguments.text({"--unique-while", "SPAN", "queued, running (the default) or window"},
                 flags.unique_while);
  arguments.text({"--unique-window", "DURATION", "since it was submitted"}, flags.unique_window);
  arguments.text({"--on-conflict", "WHAT", "reject, keep, replace or extend the job that is there"},
                 flags.on_conflict);
  arguments.list({"--notify-email", "ADDRESS", "tell about failure; may be repeated"},
                 flags.notify_email);
  arguments.list({"--notify-channel", "NAME", "tell a channel about failure; may be repeated"},
                 flags.notify_channel);
}

void declare_action(Arguments& arguments, ActionFlags& flags) {
  arguments.heading("What: an HTTP call");
  arguments.text({"--url", "URL", "to call"}, flags.url);
  arguments.text({"--method", "METHOD", "POST if not given"}, flags.method);
  arguments.list({"--header", "NAME: VALUE", "may be repeated"}, flags.headers);
  arguments.text({"--body", "TEXT|@FILE", "instead of the payload"}, flags.body);
  arguments.heading("What: a command");
  arguments.rest({"ARGV…", "the command and its arguments"}, flags.argv);
  arguments.list({"--env", "NAME=VALUE", "may be repeated"}, flags.env);
  arguments.text({"--cwd", "PATH", "working directory"}, flags.cwd);
  arguments.text({"--stdin", "TEXT|@FILE", "instead of the payload"}, flags.stdin_text);
  arguments.toggle({"--shell", "", "give the command to a shell"}, flags.shell);
}

void declare_labels(Arguments& arguments, JobFlags& flags) {
  arguments.heading("Job");
  arguments.text({"--name", "TEXT", "for people; after the action if not given"}, flags.name);
  arguments.text({"--job-key", "SLUG", "unique name for programs"}, flags.key);
  arguments.text({"--payload", "JSON|@FILE", "handed to the action"}, flags.payload);
  arguments.list({"--tag", "TAG", "may be repeated"}, flags.tags);
  arguments.list({"--meta", "NAME=VALUE", "may be repeated"}, flags.metadata);
  arguments.text({"--note", "TEXT", "for people"}, flags.note);
  arguments.toggle({"--paused", "", "do not run until resumed"}, flags.paused);
}

Result<std::string> job_body(const JobFlags& flags, const JobRequestInputs& inputs) {
  json::Document document;
  const json::Value* base = nullptr;
  if (!inputs.base.empty()) {
    auto parsed = json::parse(inputs.base);
    if (!parsed) return refuse("the job file is not JSON: " + parsed.error().message);
    document = std::move(*parsed);
    base = &document.root();
    if (!base->is(json::Type::object)) return refuse("the job file must hold one JSON object");
  }
  ObjectDraft job(base);
  CHRONOS_TRY_VOID(add_labels(job, flags, base));
  CHRONOS_TRY_VOID(add_schedule(job, flags.schedule, inputs.now));
  add_policy(job, flags.policy, base);
  add_notify(job, flags.policy);
  CHRONOS_TRY_VOID(add_action(job, flags.action, inputs));
  if (flags.payload) CHRONOS_TRY_VOID(add_payload(job, *flags.payload, inputs));
  return job.to_json();
}

}  // namespace chronos::cli
