// Output: what a connection has to write. Answers are put together in one text, so that many leave
// in one write; the body of a long one stays the string it came as and leaves behind the text. A
// plain value. Private to the connection.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace chronos::http {

struct Output {
  // From so many bytes on a copy costs more than a write of its own.
  static constexpr std::size_t kLongMin = 8uz * 1024;

  std::string text;
  std::string long_body;  // nothing may be added to the text once this is there

  std::size_t size() const { return text.size() + long_body.size(); }
  bool empty() const { return size() == 0; }

  // All but the first `count` bytes. Views of this.
  std::array<std::string_view, 2> after(std::size_t count) const {
    const auto of_text = std::min(count, text.size());
    return {std::string_view(text).substr(of_text),
            std::string_view(long_body).substr(count - of_text)};
  }
};

}  // namespace chronos::http
