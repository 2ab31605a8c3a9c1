#include "notify/wording.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/json.h"
#include "base/time_text.h"

namespace chronos::notify {
namespace {

constexpr std::string_view kTestEvent = "test";

// Output is a stranger's bytes: terminal sequences and other controls are taken out, line ends and
// tabs stay.
std::string readable(std::string_view output) {
  std::string clean;
  for (std::size_t i = 0; i < output.size(); ++i) {
    const auto byte = static_cast<unsigned char>(output[i]);
    if (output[i] == '\x1b' && i + 1 < output.size() && output[i + 1] == '[') {
      i += 2;
      while (i < output.size() && (output[i] < '@' || output[i] > '~')) ++i;
    } else if (output[i] == '\n' || output[i] == '\t' || (byte >= ' ' && byte != 0x7f)) {
      clean += output[i];
    }
  }
  return clean;
}

std::string one_line(std::string_view text) {
  std::string line = readable(text);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

std::string escape_html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string verb_of(const Message& message) {
  if (message.state == "timed_out") return "timed out";
  if (message.state == "lost") return "was lost";
  return "failed";
}

std::string headline(const Message& message) {
  if (message.event == kTestEvent) return "This is a test message from Chronos";
  return fmt::format("Job \"{}\" {}", one_line(message.job_name), verb_of(message));
}

std::string link_to(const Message& message, std::string_view base_url) {
  if (base_url.empty() || message.run_id.empty()) return {};
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  return fmt::format("{}/runs/{}", base_url, message.run_id);
}

using Facts = std::vector<std::pair<std::string_view, std::string>>;

Facts facts_of(const Message& message, std::string_view base_url) {
  if (message.event == kTestEvent) return {{"Project", one_line(message.project)}};
  Facts facts = {
      {"Why", one_line(message.error)},
      {"Attempts", fmt::format("{}", message.attempts)},
      {"Planned", format_timestamp(message.planned_at)},
      {"Ended", format_timestamp(message.ended_at)},
      {"Project", one_line(message.project)},
      {"Job", message.job_id},
      {"Run", message.run_id},
  };
  if (auto link = link_to(message, base_url); !link.empty()) {
    facts.emplace_back("Details", std::move(link));
  }
  std::erase_if(facts, [](const auto& fact) { return fact.second.empty(); });
  return facts;
}

std::string plain_text(const Message& message, const Facts& facts) {
  std::string text = headline(message) + ".\n\n";
  for (const auto& [name, value] : facts) text += fmt::format("{:<10}{}\n", name, value);
  if (message.output_tail.empty()) return text;
  text += "\nThe end of its output:\n\n    ";
  for (const char c : readable(message.output_tail)) {
    text += c;
    if (c == '\n') text += "    ";
  }
  return text + "\n";
}

std::string html_text(const Message& message, const Facts& facts) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html><body "
      "style=\"font-family:sans-serif\">\n<p><strong>{}.</strong></p>\n"
      "<table>\n",
      escape_html(headline(message)));
  for (const auto& [name, value] : facts) {
    const std::string safe = escape_html(value);
    const bool is_link = name == "Details";
    html += fmt::format(
        "<tr><td style=\"padding-right:1em;vertical-align:top\">{}</td><td>{}</td></tr>\n", name,
        is_link ? fmt::format("<a href=\"{0}\">{0}</a>", safe) : safe);
  }
  html += "</table>\n";
  if (!message.output_tail.empty()) {
    html += fmt::format("<p>The end of its output:</p>\n<pre>{}</pre>\n",
                        escape_html(readable(message.output_tail)));
  }
  return html + "</body></html>\n";
}

}  // namespace

MailText mail_text(const Message& message, std::string_view base_url) {
  const Facts facts = facts_of(message, base_url);
  return {.subject = "[Chronos] " + headline(message),
          .text = plain_text(message, facts),
          .html = html_text(message, facts)};
}

std::string webhook_body(const Message& message, std::string_view base_url) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object()
      .member("type", message.event)
      .member("timestamp", format_timestamp(message.ended_at));
  writer.key("data").begin_object().member("project", message.project);
  if (message.event != kTestEvent) {
    writer.member("job_id", message.job_id)
        .member("job_name", message.job_name)
        .member("run_id", message.run_id)
        .member("state", message.state)
        .member("error", message.error)
        .member("attempts", message.attempts)
        .member("planned_at", format_timestamp(message.planned_at))
        .member("ended_at", format_timestamp(message.ended_at));
  }
  if (const auto link = link_to(message, base_url); !link.empty()) writer.member("url", link);
  writer.end_object().end_object();
  return body;
}

std::string slack_body(const Message& message, std::string_view base_url) {
  std::string text = headline(message);
  if (message.event != kTestEvent && !message.error.empty()) {
    text += ": " + one_line(message.error);
  }
  if (const auto link = link_to(message, base_url); !link.empty()) text += "\n" + link;
  std::string escaped;  // Slack's own three, https://api.slack.com/reference/surfaces/formatting
  for (const char c : text) {
    escaped += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  }
  std::string body;
  json::Writer(body).begin_object().member("text", escaped).end_object();
  return body;
}

}  // namespace chronos::notify
