#include "net/mail_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ascii.h"
#include "base/crypto.h"

namespace chronos::net {
namespace {

bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

std::string without_controls(std::string_view text) {
  std::string clean(text);
  std::ranges::replace_if(
      clean, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return clean;
}

// RFC 2047 §2: encoded words of at most 75 characters, each of whole characters.
std::string encoded_words(std::string_view text) {
  constexpr std::size_t kBytesMax = 45;  // 60 in base64, 72 with the frame
  std::string words;
  while (!text.empty()) {
    std::size_t size = std::min(kBytesMax, text.size());
    const auto is_inside = [&](std::size_t at) {
      return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
    };
    while (size > 1 && is_inside(size)) --size;
    words += fmt::format("{}=?UTF-8?B?{}?=", words.empty() ? "" : "\r\n ",
                         to_base64(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return words;
}

std::string unstructured(std::string_view text) {
  constexpr std::size_t kPlainMax = 200;
  const std::string clean = without_controls(text);
  const bool looks_encoded = clean.contains("=?");
  return is_printable_ascii(clean) && clean.size() <= kPlainMax && !looks_encoded
             ? clean
             : encoded_words(clean);
}

std::string render_mailbox(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  const std::string clean = without_controls(mailbox.name);
  if (!is_printable_ascii(clean) || clean.contains("=?")) {
    return fmt::format("{} <{}>", encoded_words(clean), mailbox.address);
  }
  std::string quoted;
  for (const char c : clean) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("\"{}\" <{}>", quoted, mailbox.address);
}

// RFC 5322 §3.3, in UTC.
std::string render_date(Timestamp date) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(date);
  const std::chrono::year_month_day calendar(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(date - day));
  return fmt::format(
      "{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(calendar.day()), kMonths[static_cast<unsigned>(calendar.month()) - 1],
      static_cast<int>(calendar.year()), time.hours().count(), time.minutes().count(),
      time.seconds().count());
}

// RFC 2045 §6.7: lines of at most 76 characters; everything unusual as =XX.
std::string quoted_printable(std::string_view text) {
  constexpr std::size_t kLineMax = 75;  // and the "=" of a soft break
  std::string out;
  std::size_t column = 0;
  const auto put = [&](std::string_view piece) {
    if (column + piece.size() > kLineMax) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
    const bool is_plain = (c > ' ' && c < '\x7f' && c != '=') || (c == ' ' && !ends_line);
    put(is_plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned char>(c)));
  }
  return out;
}

std::string render_part(std::string_view type, std::string_view content) {
  return fmt::format(
      "Content-Type: {}; charset=utf-8\r\nContent-Transfer-Encoding: "
      "quoted-printable\r\n\r\n{}\r\n",
      type, quoted_printable(content));
}

std::string render_body(const Mail& mail, const MailStamp& stamp) {
  if (mail.html.empty()) return render_part("text/plain", mail.text);
  // "=_" stands in no quoted-printable text, so the boundary cannot either.
  const std::string boundary = "=_chronos_" + stamp.id;
  return fmt::format(
      "Content-Type: multipart/alternative; boundary=\"{0}\"\r\n\r\n"
      "--{0}\r\n{1}--{0}\r\n{2}--{0}--\r\n",
      boundary, render_part("text/plain", mail.text), render_part("text/html", mail.html));
}

}  // namespace

bool is_mail_address(std::string_view text) {
  constexpr std::string_view kLocal = "!#$%&'*+-/=?^_`{|}~.";  // RFC 5322 §3.2.3, dot-atom
  const auto at = text.find('@');
  if (at == std::string_view::npos || text.size() > 254) return false;
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  const auto has_lone_dots = [](std::string_view part) {
    return part.starts_with('.') || part.ends_with('.') || part.contains("..");
  };
  const auto is_local = [&](char c) { return ascii::is_alphanumeric(c) || kLocal.contains(c); };
  const auto is_domain = [](char c) { return ascii::is_alphanumeric(c) || c == '-' || c == '.'; };
  return !local.empty() && local.size() <= 64 && !domain.empty() && !has_lone_dots(local) &&
         !has_lone_dots(domain) && !domain.starts_with('-') && !local.starts_with('-') &&
         std::ranges::all_of(local, is_local) && std::ranges::all_of(domain, is_domain);
}

std::optional<Mailbox> parse_mailbox(std::string_view text) {
  const auto open = text.find('<');
  if (open == std::string_view::npos) {
    if (!is_mail_address(text)) return std::nullopt;
    return Mailbox{{}, std::string(text)};
  }
  if (!text.ends_with('>')) return std::nullopt;
  const auto address = text.substr(open + 1, text.size() - open - 2);
  auto name = text.substr(0, open);
  while (name.ends_with(' ')) name.remove_suffix(1);
  if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
    name = name.substr(1, name.size() - 2);
  }
  if (!is_mail_address(address)) return std::nullopt;
  return Mailbox{std::string(name), std::string(address)};
}

Result<std::string> render_mail(const Mail& mail, const MailStamp& stamp) {
  const auto from = parse_mailbox(mail.from);
  if (!from) return fail_field("/from", "bad_address", "the sender is not a mail address");
  if (mail.to.empty()) return fail_field("/to", "required", "there is no recipient");
  std::string to;
  for (const auto& address : mail.to) {
    if (!is_mail_address(address)) {
      return fail_field("/to", "bad_address", "a recipient is not a mail address");
    }
    to += fmt::format("{}{}", to.empty() ? "" : ",\r\n ", address);
  }
  const auto domain = from->address.substr(from->address.find('@') + 1);
  return fmt::format(
      "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@{}>\r\n"
      "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n{}",
      render_mailbox(*from), to, unstructured(mail.subject), render_date(stamp.date),
      without_controls(stamp.id), domain, render_body(mail, stamp));
}

}  // namespace chronos::net
