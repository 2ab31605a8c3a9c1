// Request and Response: the plain values that handlers see; nothing here knows of sockets. The
// server makes Requests, handlers (`*_api.cc`) answer them with Responses. Values: one thread at a
// time; Stream says its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace chronos::http {

// `other` is every method we have no name for; no route can be declared with it.
enum class Method { get, head, post, put, patch, delete_, options, other };

std::string_view to_string(Method method);  // "GET"; "OTHER" for `other`
Method method_from(std::string_view text);  // exact spelling: methods are case-sensitive
bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII

// GET and HEAD: asking changes nothing (RFC 9110 §9.2.1).
inline bool is_safe(Method method) {
  return method == Method::get || method == Method::head;
}

struct Header {
  std::string name;
  std::string value;
};

// The header fields of a request, in the order sent, packed into one string. Names compare without
// regard to case. Views live until the Headers object changes, moves or dies.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  // Makes room for so many fields with so many bytes in all.
  void reserve(std::size_t count, std::size_t bytes);
  void add(std::string_view name, std::string_view value);
  void clear();

  std::size_t size() const { return spans_.size(); }
  Field operator[](std::size_t index) const { return field(spans_[index]); }

  // The first field of this name.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;

 private:
  struct Span {
    std::uint32_t begin;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  Field field(const Span& span) const {
    const char* const begin = text_.data() + span.begin;
    return {{begin, span.name_size}, {begin + span.name_size, span.value_size}};
  }
  bool is_named(const Span& span, std::string_view name) const {
    return span.name_size == name.size() && equal_ignoring_case(field(span).name, name);
  }
  std::string text_;  // name value name value …, no separators
  std::vector<Span> spans_;
};

// A parameter of the path or the query, percent-decoded once, valid UTF-8 without NUL.
struct Param {
  std::string name;
  std::string value;
};

// The value of the first parameter of this name.
std::optional<std::string_view> find_param(const std::vector<Param>& params, std::string_view name);

// What is known once the headers have been read: what the gate decides on.
struct RequestHead {
  Method method = Method::other;
  std::string target;  // exactly as sent, query included: never log it, it may hold a key
  Headers headers;
  std::vector<Param> path_params;  // from the route's pattern, in its order
  std::vector<Param> query;        // in the order sent; names may repeat
  std::string peer;                // numeric address of the other end, without the port
  bool is_tls = false;

  // How the body is framed and what becomes of the connection (RFC 9112 §6, §9.3); for the server.
  std::optional<std::uint64_t> content_length;
  bool is_chunked = false;
  bool is_http10 = false;
  bool keeps_alive = false;
  bool expects_continue = false;

  bool has_body() const { return is_chunked || content_length.value_or(0) > 0; }
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
};

struct Caller;  // who the gate let in; defined in http/auth.h

struct Request : RequestHead {
  std::string body;
  // Null on open routes. Shared because the gate may keep callers it knows for the next request.
  std::shared_ptr<const Caller> caller;
  // Asked to stop when the client hung up or the server drains: long polls and streams end early,
  // everything else may ignore it.
  std::stop_token gone;
};

// The open end of a streamed answer: chunks go out as they are sent. Belongs to one thread at a
// time, any thread. Dropping it ends the answer properly.
class Stream {
 public:
  struct State;
  explicit Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  // Never blocks. False once the client is gone, or reads so slowly that more than
  // ServerOptions::stream_queue_max bytes wait for it (it is then cut off): stop feeding.
  bool send(std::string_view bytes);

 private:
  void end();
  std::shared_ptr<State> state_;  // shared with the connection that writes it
};

struct Response {
  int status = 200;
  std::vector<Header> headers;  // besides those the server writes itself
  std::string content_type;     // empty = application/json
  std::string body;
  // Set: `body` is only the beginning; the function gets the open end, on a thread of the server,
  // and must not block.
  std::move_only_function<void(Stream)> stream;
  // Called, on a thread of the server, when nobody can be there to read the answer: the client hung
  // up before it could be written. What it gave away can be taken back; the connection ends.
  std::move_only_function<void()> if_gone;
  // Set: the response itself, made on the connection's thread; nothing else here counts. So who
  // answers has nothing to write: the committer, for whose next commit others wait.
  std::move_only_function<Response()> later;
};

// How a handler answers: call it once, from any thread, at any time. Dropped uncalled = 500.
using Reply = std::move_only_function<void(Response)>;

// Handlers run on the server's threads, several at once, and must not block: what waits (a commit,
// a read) moves the Reply along and answers later.
using Handler = std::function<void(Request, Reply)>;

}  // namespace chronos::http
