// Beast's parser does the grammar. What it leaves to its user is decided here: limits, line
// folding, everything about Content-Length and Transfer-Encoding that two programs could read in
// two ways.
#include "http/request_reader.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>

#include "base/ascii.h"
#include "base/check.h"
#include "http/token.h"

namespace chronos::http {
namespace beast = boost::beast;
namespace {

constexpr std::size_t kBufferSmall = 2uz * 1024;
constexpr std::size_t kBufferBody = 16uz * 1024;
constexpr std::size_t kBufferSlack = 4uz * 1024;
constexpr std::size_t kRequestLineExtra = 64;  // of a request line, besides the target
constexpr std::size_t kContentLengthDigitsMax = 18;
constexpr std::size_t kUsualFields = 8;
constexpr std::size_t kFramingPerByte = 8;  // one-byte chunks take five

Error malformed(std::string message) {
  return Error{Reason::bad_request, std::move(message), {}, {}};
}

Error too_large(std::size_t body_max) {
  std::string message = "the body is longer than " + std::to_string(body_max) + " bytes";
  return Error{Reason::body_too_large, std::move(message), {}, {}};
}

// Only the origin form (RFC 9112 §3.2.1). The absolute form is for proxies: refusing it leaves one
// place that names the host.
bool is_origin_form(std::string_view target) {
  return target.starts_with('/') &&
         std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool is_host(std::string_view value) {
  return value.find_first_of(" \t,/\\@?#\"<>") == std::string_view::npos;
}

// The rest of the line waits for Beast and the whole head; this much tells other protocols at once.
bool ends_with_version(std::string_view line) {
  return line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0");
}

}  // namespace

// Reads one head at a time: the callbacks of Beast's parser fill it.
struct RequestReader::HeadParser final : beast::http::basic_parser<true> {
  using View = beast::string_view;
  using ErrorCode = beast::error_code;
  using Field = beast::http::field;

  explicit HeadParser(const ReadLimits& read_limits) : limits(read_limits) {
    body_limit(boost::none);     // bodies are not its business
    header_limit(0xffff'ffffU);  // checked by find_head_end()
  }

  void on_request_impl(beast::http::verb, View method, View target, int version,
                       ErrorCode& ec) override {
    if (target.size() > limits.target_bytes_max) {
      return refuse({Reason::uri_too_long, "the request target is too long", {}, {}}, ec);
    }
    if (!is_origin_form(target)) {
      return refuse(malformed("the request target must be a path such as /api/jobs"), ec);
    }
    head.method = method_from(method);
    head.target = target;
    head.is_http10 = version == 10;
  }

  void on_field_impl(Field name, View name_text, View value, ErrorCode& ec) override {
    if (head.headers.size() >= limits.header_count_max) {
      return refuse({Reason::headers_too_large, "there are too many header fields", {}, {}}, ec);
    }
    head.headers.add(name_text, value);
    if (name == Field::content_length) {
      on_content_length(value, ec);
    } else if (name == Field::transfer_encoding) {
      on_transfer_encoding(value, ec);
    } else if (name == Field::host && !is_host(value)) {
      refuse(malformed("the Host header is not a host"), ec);
    } else if (name == Field::expect) {
      head.expects_continue = equal_ignoring_case(value, "100-continue") && !head.is_http10;
    }
  }

  void on_header_impl(ErrorCode& ec) override {
    is_complete = true;
    head.keeps_alive = keep_alive();
    if (head.is_chunked && head.content_length) {
      return refuse(malformed("Content-Length and Transfer-Encoding exclude each other"), ec);
    }
    const std::size_t hosts = head.headers.count("Host");
    if (hosts > 1 || (hosts == 0 && !head.is_http10)) {
      return refuse(malformed("exactly one Host header is required"), ec);
    }
  }

  void on_response_impl(int, View, int, ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(View bytes, ErrorCode&) override { return bytes.size(); }
  void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View bytes, ErrorCode&) override {
    return bytes.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  void on_content_length(std::string_view value, ErrorCode& ec) {
    const bool is_number = !value.empty() && value.size() <= kContentLengthDigitsMax &&
                           std::ranges::all_of(value, ascii::is_digit);
    if (!is_number || head.content_length) {
      return refuse(malformed("Content-Length must be one decimal number, given once"), ec);
    }
    std::uint64_t length = 0;
    for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
    head.content_length = length;
  }

  void on_transfer_encoding(std::string_view value, ErrorCode& ec) {
    if (head.is_chunked || head.is_http10 || !equal_ignoring_case(value, "chunked")) {
      return refuse(malformed("Transfer-Encoding must be chunked, given once, in HTTP/1.1"), ec);
    }
    head.is_chunked = true;
  }

  void refuse(Error error, ErrorCode& ec) {
    failure = std::move(error);
    ec = beast::http::error::bad_value;  // stops the parser; `failure` says why
  }

  const ReadLimits& limits;
  RequestHead head;
  std::optional<Error> failure;
  bool is_complete = false;
};

RequestReader::RequestReader(ReadLimits limits) : limits_(limits) {}

std::span<char> RequestReader::room() {
  if (capacity_ == 0) grow(kBufferSmall);
  if (is_in_body_ && begin_ == end_) grow(kBufferBody);
  if (end_ == capacity_ && begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_) grow(std::min(capacity_ * 2, limits_.header_bytes_max + kBufferSlack));
  CHRONOS_CHECK(end_ < capacity_);  // a head or chunk header as large as that was refused
  return {buffer_.get() + end_, capacity_ - end_};
}

void RequestReader::add(std::size_t count) {
  end_ += count;
}

void RequestReader::drop() {
  take(end_ - begin_);
}

void RequestReader::shrink() {
  if (capacity_ <= kBufferSmall || has_bytes() || is_in_body_) return;
  buffer_.reset();
  capacity_ = 0;
}

void RequestReader::grow(std::size_t capacity) {
  if (capacity <= capacity_) return;
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  std::copy(buffer_.get() + begin_, buffer_.get() + end_, larger.get());
  end_ -= begin_;
  begin_ = 0;
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

void RequestReader::take(std::size_t count) {
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

// The size of the head, empty line included; 0 while it is not complete. Lines are checked as they
// come in, so nothing ill-formed is waited for.
Result<std::size_t> RequestReader::find_head_end() {
  const char* const head = buffer_.get() + begin_;
  const std::size_t size = end_ - begin_;
  const std::size_t request_line_max = limits_.target_bytes_max + kRequestLineExtra;
  while (const void* found = std::memchr(head + scanned_, '\n', size - scanned_)) {
    const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - head);
    const std::size_t line = line_;
    line_ = scanned_ = newline + 1;
    if (newline == line || head[newline - 1] != '\r') {
      return std::unexpected(malformed("lines must end with CRLF"));
    }
    const bool is_folded = line > 0 && (head[line] == ' ' || head[line] == '\t');
    if (is_folded) return std::unexpected(malformed("header fields may not be folded"));
    if (line == 0 && newline > request_line_max) break;
    if (line == 0 && !ends_with_version({head, newline - 1})) {
      return std::unexpected(malformed("a request line must end with HTTP/1.1 or HTTP/1.0"));
    }
    if (scanned_ > limits_.header_bytes_max) break;
    if (newline - 1 == line) return scanned_;
  }
  const char* const first_line_end = static_cast<const char*>(std::memchr(head, '\n', size));
  const std::size_t first_line =
      first_line_end ? static_cast<std::size_t>(first_line_end - head) : size;
  if (first_line > request_line_max) {
    return fail(Reason::uri_too_long, "the request line is too long");
  }
  if (size > limits_.header_bytes_max) {
    return fail(Reason::headers_too_large, "request line and headers are longer than " +
                                               std::to_string(limits_.header_bytes_max) + " bytes");
  }
  scanned_ = size;
  return 0;
}

Result<RequestHead> RequestReader::parse_head(std::size_t size) {
  HeadParser parser(limits_);
  parser.head.headers.reserve(kUsualFields, size);
  beast::error_code ec;
  const std::size_t used = parser.put(boost::asio::buffer(buffer_.get() + begin_, size), ec);
  if (parser.failure) return std::unexpected(std::move(*parser.failure));
  if (ec && ec != beast::http::error::need_more) {
    return std::unexpected(malformed("the request is not HTTP/1.1: " + ec.message()));
  }
  if (used != size || !parser.is_complete) {
    return std::unexpected(malformed("the request is not HTTP/1.1"));
  }
  take(size);
  begin_body(parser.head);
  return std::move(parser.head);
}

void RequestReader::begin_body(const RequestHead& head) {
  is_in_body_ = head.has_body();
  chunks_.reset();
  if (head.is_chunked) chunks_.emplace();
  body_left_ = head.content_length.value_or(0);
  body_size_ = framing_size_ = 0;
}

Result<std::optional<RequestHead>> RequestReader::read_head() {
  // RFC 9112 §2.2: an empty line before a request is forgiven, once.
  const bool has_empty_line = end_ - begin_ >= 2 && line_ == 0 && scanned_ <= 1 &&
                              buffer_[begin_] == '\r' && buffer_[begin_ + 1] == '\n';
  if (has_empty_line && !std::exchange(has_skipped_line_, true)) {
    take(2);
    scanned_ = 0;
  }
  if (!has_bytes()) return std::nullopt;
  if (!is_token_char(buffer_[begin_]) && buffer_[begin_] != '\r') {
    return std::unexpected(malformed("a request must start with a method"));
  }
  CHRONOS_TRY(const std::size_t size, find_head_end());
  if (size == 0) return std::nullopt;
  CHRONOS_TRY(RequestHead head, parse_head(size));
  line_ = scanned_ = 0;
  has_skipped_line_ = false;
  return head;
}

Result<bool> RequestReader::read_body(std::string& body, std::size_t body_max) {
  return take_body(&body, body_max);
}

Result<bool> RequestReader::skip_body(std::size_t body_max) {
  return take_body(nullptr, body_max);
}

void RequestReader::skipped(std::size_t count) {
  body_size_ += count;
  body_left_ -= count;
  is_in_body_ = body_left_ > 0;
}

Result<bool> RequestReader::take_body(std::string* body, std::size_t body_max) {
  if (!is_in_body_) return true;
  if (chunks_) return take_chunks(body, body_max);
  if (body_size_ + body_left_ > body_max) return std::unexpected(too_large(body_max));
  const std::size_t size = std::min<std::uint64_t>(body_left_, end_ - begin_);
  if (body) body->append(buffer_.get() + begin_, size);
  take(size);
  skipped(size);
  return !is_in_body_;
}

Result<bool> RequestReader::take_chunks(std::string* body, std::size_t body_max) {
  for (;;) {
    const std::string_view input(buffer_.get() + begin_, end_ - begin_);
    const ChunkDecoder::Step step = chunks_->next(input);
    if (step.event == ChunkDecoder::Event::malformed) {
      return std::unexpected(malformed("the chunks of the body are not framed properly"));
    }
    body_size_ += step.data.size();
    framing_size_ += step.taken - step.data.size();
    take(step.taken);  // its bytes stay where they are
    if (body_size_ + chunks_->announced() > body_max) return std::unexpected(too_large(body_max));
    if (body) body->append(step.data);
    // Sizes, extensions and trailers cost the client nothing to invent.
    if (framing_size_ > kFramingPerByte * body_size_ + limits_.header_bytes_max) {
      return std::unexpected(malformed("the chunks of the body are mostly framing"));
    }
    if (step.event == ChunkDecoder::Event::need_more) return false;
    if (step.event == ChunkDecoder::Event::done) {
      is_in_body_ = false;
      return true;
    }
  }
}

}  // namespace chronos::http
