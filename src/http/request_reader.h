// RequestReader: the bytes of one connection -> requests, with every limit enforced while reading
// and nothing ambiguous let through (RFC 9112 §11.2: smuggling). No sockets and no clock; used by
// the connection, one thread. After a failure the connection must be closed: what follows in the
// bytes cannot be trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "http/chunk_decoder.h"
#include "http/request.h"

namespace chronos::http {

struct ReadLimits {
  std::size_t header_bytes_max;
  std::size_t target_bytes_max;
  std::size_t header_count_max;
};

class RequestReader {
 public:
  explicit RequestReader(ReadLimits limits);

  // Where the next bytes go, and how many came. Room is never empty.
  std::span<char> room();
  void add(std::size_t count);

  // Bytes arrived that no request has taken yet.
  bool has_bytes() const { return begin_ != end_; }

  // Throws away what has arrived.
  void drop();

  // Before room(): between two requests, gives back memory that an ordinary one does not need.
  void shrink();

  // The next head; nothing as long as bytes are missing. The body must be read before the next.
  // Fails with bad_request, headers_too_large or uri_too_long.
  Result<std::optional<RequestHead>> read_head();

  // Between read_head() and the first read_body(): all of the body is here, of a length told
  // before.
  bool has_whole_body() const { return !chunks_ && end_ - begin_ >= body_left_; }

  // Appends what has arrived of the body to `body`; true when it is complete. Fails with
  // body_too_large as soon as it must become longer than `body_max` bytes, and bad_request.
  Result<bool> read_body(std::string& body, std::size_t body_max);

  // The same, throwing the body away.
  Result<bool> skip_body(std::size_t body_max);

  // Within a body of a length told before: how much has not arrived, when all that arrived is
  // taken. So much may be read to anywhere and thrown away, with skipped() for what came.
  std::uint64_t missing() const { return has_bytes() || chunks_ ? 0 : body_left_; }
  void skipped(std::size_t count);

 private:
  struct HeadParser;

  Result<std::size_t> find_head_end();
  Result<RequestHead> parse_head(std::size_t size);
  void begin_body(const RequestHead& head);
  Result<bool> take_body(std::string* body, std::size_t body_max);
  Result<bool> take_chunks(std::string* body, std::size_t body_max);
  void grow(std::size_t capacity);
  void take(std::size_t count);

  ReadLimits limits_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;    // first byte not taken
  std::size_t end_ = 0;      // behind the last byte
  std::size_t line_ = 0;     // of the head at begin_: where its last, unfinished line starts
  std::size_t scanned_ = 0;  // of the head at begin_: bytes in which no further line ends
  bool has_skipped_line_ = false;

  bool is_in_body_ = false;
  std::optional<ChunkDecoder> chunks_;  // of a chunked body
  std::uint64_t body_left_ = 0;         // of a body of known length
  std::uint64_t body_size_ = 0;         // taken so far
  std::uint64_t framing_size_ = 0;      // of chunks, likewise
};

}  // namespace chronos::http
