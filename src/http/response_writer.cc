#include "http/response_writer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

namespace chronos::http {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};

constexpr std::array kPhrases = {
    Phrase{200, "OK"},
    Phrase{201, "Created"},
    Phrase{202, "Accepted"},
    Phrase{204, "No Content"},
    Phrase{301, "Moved Permanently"},
    Phrase{302, "Found"},
    Phrase{303, "See Other"},
    Phrase{304, "Not Modified"},
    Phrase{307, "Temporary Redirect"},
    Phrase{308, "Permanent Redirect"},
    Phrase{400, "Bad Request"},
    Phrase{401, "Unauthorized"},
    Phrase{403, "Forbidden"},
    Phrase{404, "Not Found"},
    Phrase{405, "Method Not Allowed"},
    Phrase{408, "Request Timeout"},
    Phrase{409, "Conflict"},
    Phrase{410, "Gone"},
    Phrase{412, "Precondition Failed"},
    Phrase{413, "Content Too Large"},
    Phrase{414, "URI Too Long"},
    Phrase{415, "Unsupported Media Type"},
    Phrase{422, "Unprocessable Content"},
    Phrase{429, "Too Many Requests"},
    Phrase{431, "Request Header Fields Too Large"},
    Phrase{500, "Internal Server Error"},
    Phrase{503, "Service Unavailable"},
    Phrase{504, "Gateway Timeout"},
    Phrase{507, "Insufficient Storage"},
};

void append_number(std::string& out, std::size_t value) {
  const fmt::format_int text(value);
  out.append(text.data(), text.size());
}

void append_clean(std::string& out, std::string_view text) {
  const auto from = static_cast<std::ptrdiff_t>(out.size());
  out += text;
  std::replace_if(
      out.begin() + from, out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
}

// RFC 9110 §8.6: these have no content at all.
bool has_no_content(int status) {
  return status / 100 == 1 || status == 204 || status == 304;
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

void append_length(std::string& out, const Response& response, const Framing& framing) {
  if (has_no_content(response.status)) return;
  if (response.stream) {
    if (!framing.is_http10) out += "Transfer-Encoding: chunked\r\n";
    return;
  }
  out += "Content-Length: ";
  append_number(out, response.body.size());
  out += "\r\n";
}

void append_extra_headers(std::string& out, const Response& response) {
  bool is_cached = false;
  for (const Header& header : response.headers) {
    is_cached = is_cached || equal_ignoring_case(header.name, "Cache-Control");
    append_clean(out, header.name);
    out += ": ";
    append_clean(out, header.value);
    out += "\r\n";
  }
  // What the API answers must not be kept; only who says otherwise (the dashboard's files) is.
  if (!is_cached) out += "Cache-Control: no-store\r\n";
}

}  // namespace

std::string_view reason_phrase(int status) {
  for (const Phrase& phrase : kPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return "";  // RFC 9112 §4 allows none
}

std::string date_line(Timestamp now) {
  static constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                            "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  return fmt::format(
      "Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
      kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
      time.hours().count(), time.minutes().count(), time.seconds().count());
}

void append_response(std::string& out, const Response& response, const Framing& framing) {
  append_head(out, response, framing);
  append_body(out, response, framing);
}

void append_head(std::string& out, const Response& response, const Framing& framing) {
  append_status_line(out, response.status);
  out += framing.date_line;
  if (!has_no_content(response.status)) {
    if (response.content_type.empty()) {
      out += "Content-Type: application/json\r\n";
    } else {
      out += "Content-Type: ";
      append_clean(out, response.content_type);
      out += "\r\n";
    }
  }
  append_length(out, response, framing);
  out += "X-Content-Type-Options: nosniff\r\n";
  append_extra_headers(out, response);
  if (framing.is_last) {
    out += "Connection: close\r\n";
  } else if (framing.is_http10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

bool is_body_bare(const Response& response, const Framing& framing) {
  const bool is_sent = !framing.is_head_request && !has_no_content(response.status);
  return is_sent && (!response.stream || framing.is_http10);
}

void append_body(std::string& out, const Response& response, const Framing& framing) {
  if (is_body_bare(response, framing)) {
    out += response.body;
  } else if (!framing.is_head_request && !has_no_content(response.status)) {
    append_chunk(out, response.body);
  }
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;  // an empty chunk would be the last
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out.append(bytes).append("\r\n");
}

void append_last_chunk(std::string& out) {
  out += "0\r\n\r\n";
}

}  // namespace chronos::http
