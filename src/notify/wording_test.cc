#include "notify/wording.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/time_text.h"

namespace chronos::notify {
namespace {

Message message() {
  return {.event = "run.failed",
          .project = "default",
          .job_id = "job_1",
          .job_name = "nightly report",
          .run_id = "run_1",
          .state = "failed",
          .error = "expected 2xx, got 500",
          .attempts = 3,
          .planned_at = parse_timestamp("2026-03-08T07:30:00Z").value(),
          .ended_at = parse_timestamp("2026-03-08T07:31:00Z").value(),
          .output_tail = "one\ntwo"};
}

TEST(MailText, SaysWhatFailedAndWhy) {
  const auto mail = mail_text(message(), "https://chronos.example/");
  EXPECT_EQ(mail.subject, "[Chronos] Job \"nightly report\" failed");
  EXPECT_EQ(mail.text,
            "Job \"nightly report\" failed.\n"
            "\n"
            "Why       expected 2xx, got 500\n"
            "Attempts  3\n"
            "Planned   2026-03-08T07:30:00.000Z\n"
            "Ended     2026-03-08T07:31:00.000Z\n"
            "Project   default\n"
            "Job       job_1\n"
            "Run       run_1\n"
            "Details   https://chronos.example/runs/run_1\n"
            "\n"
            "The end of its output:\n"
            "\n"
            "    one\n"
            "    two\n");
  EXPECT_TRUE(mail.html.contains("<a href=\"https://chronos.example/runs/run_1\">"));
  EXPECT_TRUE(mail.html.contains("<pre>one\ntwo</pre>"));
}

TEST(MailText, LeavesOutWhatIsNotKnown) {
  auto quiet = message();
  quiet.output_tail.clear();
  quiet.error.clear();
  const auto mail = mail_text(quiet, "");
  for (const char* word : {"Why", "Details", "output"}) {
    EXPECT_FALSE(mail.text.contains(word)) << word;
    EXPECT_FALSE(mail.html.contains(word)) << word;
  }
}

TEST(MailText, VerbsFollowTheState) {
  for (const auto& [state, verb] :
       {std::pair("failed", "failed"), std::pair("timed_out", "timed out"),
        std::pair("lost", "was lost")}) {
    auto given = message();
    given.state = state;
    EXPECT_TRUE(mail_text(given, "").subject.ends_with(verb)) << state;
  }
}

TEST(MailText, HostileTextStaysText) {
  auto hostile = message();
  hostile.job_name = "<script>alert(1)</script>\r\nBcc: x@y";
  hostile.error = "a\" onclick='b' & <i>";
  hostile.output_tail = "\x1b[31mred\x1b[0m <b>\x07\n</pre>\x1b[2J";
  const auto mail = mail_text(hostile, "https://a/\"><script>");
  for (const char* tag : {"<script", "<i>", "<b>", "onclick='"}) {
    EXPECT_FALSE(mail.html.contains(tag)) << tag;
  }
  EXPECT_TRUE(mail.html.contains("<pre>red &lt;b&gt;\n&lt;/pre&gt;</pre>")) << mail.html;
  EXPECT_FALSE(mail.subject.contains('\n'));
  for (const char control : {'\x1b', '\x07', '\r'}) {
    EXPECT_FALSE(mail.text.contains(control));
    EXPECT_FALSE(mail.html.contains(control));
  }
}

TEST(MailText, TestMessage) {
  const auto mail = mail_text({.event = "test", .project = "default"}, "https://a");
  EXPECT_EQ(mail.subject, "[Chronos] This is a test message from Chronos");
  EXPECT_FALSE(mail.text.contains("Attempts"));
}

TEST(WebhookBody, IsThin) {
  const auto body = webhook_body(message(), "https://chronos.example");
  const auto document = json::parse(body);
  ASSERT_TRUE(document.has_value()) << body;
  const auto text_of = [](const json::Value& value, const char* name) {
    const auto* member = value.find(name);
    return member == nullptr ? "(absent)" : member->string;
  };
  const auto& root = document->root();
  EXPECT_EQ(text_of(root, "type"), "run.failed");
  EXPECT_EQ(text_of(root, "timestamp"), "2026-03-08T07:31:00.000Z");
  const auto& data = *root.find("data");
  EXPECT_EQ(text_of(data, "job_id"), "job_1");
  EXPECT_EQ(text_of(data, "job_name"), "nightly report");
  EXPECT_EQ(text_of(data, "run_id"), "run_1");
  EXPECT_EQ(text_of(data, "state"), "failed");
  EXPECT_EQ(text_of(data, "error"), "expected 2xx, got 500");
  EXPECT_EQ(text_of(data, "planned_at"), "2026-03-08T07:30:00.000Z");
  EXPECT_EQ(text_of(data, "url"), "https://chronos.example/runs/run_1");
  EXPECT_EQ(data.find("attempts")->integer, 3);
  EXPECT_FALSE(body.contains("one")) << "no output";
}

TEST(SlackBody, EscapesItsThreeCharacters) {
  auto given = message();
  given.job_name = "<!channel> & co";
  EXPECT_EQ(slack_body(given, ""),
            R"({"text":"Job \"&lt;!channel&gt; &amp; co\" failed: expected 2xx, got 500"})");
}

}  // namespace
}  // namespace chronos::notify
