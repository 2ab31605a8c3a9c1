#include "net/mail_message.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace chronos::net {
namespace {

MailStamp stamp() {
  return {parse_timestamp("2026-03-08T07:05:09Z").value(), "dlv_1"};
}

std::string render(const Mail& mail) {
  const auto bytes = render_mail(mail, stamp());
  EXPECT_TRUE(bytes.has_value());
  return bytes.value_or("");
}

Mail plain() {
  return {.from = "Chronos <chronos@example.com>",
          .to = {"ops@example.com"},
          .subject = "job failed",
          .text = "hello\n",
          .html = {}};
}

TEST(MailMessage, TextOnly) {
  EXPECT_EQ(render(plain()),
            "From: \"Chronos\" <chronos@example.com>\r\n"
            "To: ops@example.com\r\n"
            "Subject: job failed\r\n"
            "Date: Sun, 08 Mar 2026 07:05:09 +0000\r\n"
            "Message-ID: <dlv_1@example.com>\r\n"
            "MIME-Version: 1.0\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "hello\r\n\r\n");
}

TEST(MailMessage, TextAndHtmlAreAlternatives) {
  auto mail = plain();
  mail.html = "<b>hello</b>";
  const auto bytes = render(mail);
  EXPECT_TRUE(
      bytes.contains("multipart/alternative; boundary=\"=_chronos_dlv_1\"\r\n\r\n"
                     "--=_chronos_dlv_1\r\nContent-Type: text/plain"));
  EXPECT_TRUE(bytes.contains("--=_chronos_dlv_1\r\nContent-Type: text/html"));
  EXPECT_TRUE(bytes.ends_with("<b>hello</b>\r\n--=_chronos_dlv_1--\r\n"));
}

std::string body_of(std::string text) {
  auto mail = plain();
  mail.text = std::move(text);
  const auto bytes = render(mail);
  const auto body = bytes.substr(bytes.find("\r\n\r\n") + 4);
  return body.substr(0, body.size() - 2);
}

TEST(MailMessage, BodyIsQuotedPrintable) {
  EXPECT_EQ(body_of("a=b"), "a=3Db");
  EXPECT_EQ(body_of("ü"), "=C3=BC");
  EXPECT_EQ(body_of("a\r\nb\nc"), "a\r\nb\r\nc");
  EXPECT_EQ(body_of("a \nb "), "a=20\r\nb=20");
  EXPECT_EQ(body_of("a\rb"), "a=0Db");
  EXPECT_EQ(body_of(std::string("a\0\x1b", 3)), "a=00=1B");
  EXPECT_EQ(body_of("\t"), "=09");
  EXPECT_EQ(body_of("--=_chronos_dlv_1--"), "--=3D_chronos_dlv_1--");
  EXPECT_EQ(body_of(std::string(76, 'x')), std::string(75, 'x') + "=\r\nx");
  const auto lines = body_of(std::string(1000, '='));
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = std::min(lines.find("\r\n", at), lines.size());
    EXPECT_LE(end - at, 76U);
    at = end + 2;
  }
}

std::string subject_of(std::string subject) {
  auto mail = plain();
  mail.subject = std::move(subject);
  const auto bytes = render(mail);
  const auto from = bytes.find("Subject: ") + 9;
  return bytes.substr(from, bytes.find("\r\nDate:") - from);
}

TEST(MailMessage, SubjectIsEncodedWhenItMustBe) {
  EXPECT_EQ(subject_of("job 'a' failed"), "job 'a' failed");
  EXPECT_EQ(subject_of("ü"), "=?UTF-8?B?w7w=?=");
  EXPECT_EQ(subject_of("=?UTF-8?B?w7w=?="), "=?UTF-8?B?PT9VVEYtOD9CP3c3dz0/PQ==?=");
  std::string umlauts;
  for (int i = 0; i < 50; ++i) umlauts += "ü";
  const auto folded = subject_of(umlauts);
  EXPECT_TRUE(folded.contains("?=\r\n =?UTF-8?B?")) << folded;
  for (std::size_t at = 0; at < folded.size();) {
    const auto end = std::min(folded.find("\r\n", at), folded.size());
    EXPECT_LE(end - at, 76U);
    EXPECT_FALSE(folded.substr(at, end - at).contains("/w==")) << "split inside a character";
    at = end + 2;
  }
}

TEST(MailMessage, NothingInjectsHeaders) {
  EXPECT_EQ(subject_of("a\r\nBcc: evil@example.com"), "a  Bcc: evil@example.com");
  auto mail = plain();
  mail.from = "A\r\nBcc: evil@example.com <a@example.com>";
  EXPECT_FALSE(render(mail).contains("\nBcc"));
  for (const std::string_view address :
       {std::string_view("a@b\r\nBcc: c@d"), std::string_view("a@b,c@d"), std::string_view("a@b\n"),
        std::string_view("<a@b>"), std::string_view("a@b\0", 4)}) {
    mail = plain();
    mail.to = {std::string(address)};
    EXPECT_FALSE(render_mail(mail, stamp())) << address;
    mail = plain();
    mail.from = address;
    EXPECT_EQ(render_mail(mail, stamp()).has_value(), address == "<a@b>") << address;
  }
}

TEST(MailMessage, NamesAreQuotedOrEncoded) {
  auto mail = plain();
  mail.from = "\"A, \"B\" \\\" <a@example.com>";
  EXPECT_TRUE(render(mail).starts_with("From: \"A, \\\"B\\\" \\\\\" <a@example.com>\r\n"));
  mail.from = "Ü <a@example.com>";
  EXPECT_TRUE(render(mail).starts_with("From: =?UTF-8?B?w5w=?= <a@example.com>\r\n"));
  mail.from = "a@example.com";
  mail.to = {"b@example.com", "c@example.com"};
  EXPECT_TRUE(
      render(mail).starts_with("From: a@example.com\r\nTo: b@example.com,\r\n c@example.com\r\n"));
}

TEST(MailAddress, ByTable) {
  for (const char* good : {"a@b", "ops@example.com", "a.b+c@x-y.example", "root@localhost",
                           "!#$%&'*+-/=?^_`{|}~@e.com"}) {
    EXPECT_TRUE(is_mail_address(good)) << good;
  }
  for (const std::string& bad : {std::string(""),
                                 std::string("a"),
                                 std::string("@b"),
                                 std::string("a@"),
                                 std::string("a b@c"),
                                 std::string("a@b c"),
                                 std::string("a@@b"),
                                 std::string("a@b@c"),
                                 std::string(".a@b"),
                                 std::string("a.@b"),
                                 std::string("a..b@c"),
                                 std::string("a@b..c"),
                                 std::string("a@.b"),
                                 std::string("a@b."),
                                 std::string("a@-b"),
                                 std::string("-f@b"),
                                 std::string("ü@b"),
                                 std::string("a@ü"),
                                 std::string("\"a b\"@c"),
                                 std::string("a@[1.2.3.4]"),
                                 std::string("a@b>"),
                                 std::string(65, 'a') + "@b",
                                 "a@" + std::string(254, 'b')}) {
    EXPECT_FALSE(is_mail_address(bad)) << bad;
  }
}

}  // namespace
}  // namespace chronos::net
