// ChunkDecoder: takes the chunked transfer coding off a body (RFC 9112 §7.1), byte by byte as it
// arrives: nothing is buffered and nothing malformed is waited for. Stricter than the RFC asks: no
// white space around sizes. Pure; used by RequestReader. (Beast's own chunk parser buffers, and in
// a debug build 1.81 can be stopped by an assertion when "0\r\n\r" arrives alone.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chronos::http {

class ChunkDecoder {
 public:
  enum class Event {
    need_more,  // all bytes were taken
    data,       // `data` is the next piece of the body
    done,       // the body is complete
    malformed,
  };
  struct Step {
    Event event;
    std::size_t taken = 0;  // bytes of the input used up
    std::string_view data;  // part of the input
  };

  // Goes on with `input` until there is something to tell. Not to be called after done, malformed.
  Step next(std::string_view input);

  // Bytes of the chunk being read that are still to come, as its header announced them.
  std::uint64_t announced() const { return left_; }

 private:
  enum class State {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
    done,
    malformed,
  };

  State after(char c);
  State after_size(char c);

  State state_ = State::size;
  std::uint64_t left_ = 0;
  int digits_ = 0;
};

}  // namespace chronos::http
