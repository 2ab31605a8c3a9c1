#include "http/chunk_decoder.h"

#include <algorithm>

#include "http/token.h"

namespace chronos::http {
namespace {

constexpr int kSizeDigitsMax = 15;  // less than 2^60: adding such sizes up cannot overflow

bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

ChunkDecoder::Step ChunkDecoder::next(std::string_view input) {
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (state_ == State::data) {
      const std::size_t size = std::min<std::uint64_t>(left_, input.size() - i);
      left_ -= size;
      if (left_ == 0) state_ = State::data_cr;
      return {Event::data, i + size, input.substr(i, size)};
    }
    state_ = after(input[i]);
    if (state_ == State::malformed) return {Event::malformed, i, {}};
    if (state_ == State::done) return {Event::done, i + 1, {}};
  }
  return {Event::need_more, input.size(), {}};
}

ChunkDecoder::State ChunkDecoder::after(char c) {
  switch (state_) {
    case State::size:
      return after_size(c);
    case State::extension:
      if (c == '\r') return State::size_lf;
      return is_text(c) ? State::extension : State::malformed;
    case State::size_lf:
      if (c != '\n') return State::malformed;
      digits_ = 0;
      return left_ == 0 ? State::trailer_start : State::data;
    case State::data_cr:
      return c == '\r' ? State::data_lf : State::malformed;
    case State::data_lf:
      return c == '\n' ? State::size : State::malformed;
    case State::trailer_start:
      if (c == '\r') return State::last_lf;
      return is_token_char(c) ? State::trailer_name : State::malformed;
    case State::trailer_name:
      if (c == ':') return State::trailer_value;
      return is_token_char(c) ? State::trailer_name : State::malformed;
    case State::trailer_value:
      if (c == '\r') return State::trailer_lf;
      return is_text(c) ? State::trailer_value : State::malformed;
    case State::trailer_lf:
      return c == '\n' ? State::trailer_start : State::malformed;
    case State::last_lf:
      return c == '\n' ? State::done : State::malformed;
    case State::data:
    case State::done:
    case State::malformed:
      return State::malformed;
  }
  return State::malformed;
}

ChunkDecoder::State ChunkDecoder::after_size(char c) {
  if (const auto digit = hex_digit(c)) {
    if (++digits_ > kSizeDigitsMax) return State::malformed;
    left_ = left_ * 16 + *digit;
    return State::size;
  }
  if (digits_ == 0) return State::malformed;
  if (c == ';') return State::extension;
  return c == '\r' ? State::size_lf : State::malformed;
}

}  // namespace chronos::http
