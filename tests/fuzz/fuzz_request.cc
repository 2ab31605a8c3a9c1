// Any bytes as what a connection receives: however they are cut into pieces, the same requests come
// out and the same end, within the limits.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/request_reader.h"

namespace chronos::http {
namespace {

constexpr ReadLimits kLimits{
    .header_bytes_max = 2048, .target_bytes_max = 512, .header_count_max = 20};
constexpr std::size_t kBodyMax = 1000;

// What came of the bytes, in words that can be compared.
class Connection {
 public:
  // False once the connection must be closed.
  bool receive(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto room = reader_.room();
      CHRONOS_CHECK(!room.empty());
      const auto count = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), count);
      reader_.add(count);
      bytes.remove_prefix(count);
      if (!read_on()) return false;
    }
    return true;
  }

  const std::vector<std::string>& told() const { return told_; }

 private:
  bool read_on() {
    for (;;) {
      if (!is_in_body_) {
        const auto head = reader_.read_head();
        if (!head) return end(head.error());
        if (!*head) return true;
        note(**head);
        is_in_body_ = true;
      }
      const auto done = reader_.read_body(body_, kBodyMax);
      CHRONOS_CHECK(body_.size() <= kBodyMax);
      if (!done) return end(done.error());
      if (!*done) return true;
      told_.push_back("body " + std::exchange(body_, {}));
      is_in_body_ = false;
      reader_.shrink();
    }
  }

  void note(const RequestHead& head) {
    CHRONOS_CHECK(!head.target.empty() && head.target.size() <= kLimits.target_bytes_max);
    CHRONOS_CHECK(head.headers.size() <= kLimits.header_count_max);
    CHRONOS_CHECK(!head.is_chunked || !head.content_length);  // smuggling
    auto line = std::string(to_string(head.method)) + " " + head.target;
    for (std::size_t i = 0; i < head.headers.size(); ++i) {
      const auto [name, value] = head.headers[i];
      CHRONOS_CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
      CHRONOS_CHECK(name.find_first_of(" \t\r\n:") == std::string_view::npos && !name.empty());
      line += "\n" + std::string(name) + ": " + std::string(value);
    }
    told_.push_back(std::move(line));
  }

  bool end(const Error& error) {
    // Whether a size is too large or no size is told by what had arrived.
    CHRONOS_CHECK(!error.message.empty());
    told_.emplace_back("refused");
    return false;
  }

  RequestReader reader_{kLimits};
  bool is_in_body_ = false;
  std::string body_;
  std::vector<std::string> told_;
};

void try_bytes(std::string_view bytes) {
  Connection whole;
  whole.receive(bytes);
  Connection bit_by_bit;
  for (const char& byte : bytes) {
    if (!bit_by_bit.receive({&byte, 1})) break;
  }
  CHRONOS_CHECK(whole.told() == bit_by_bit.told());
  Connection halves;
  if (halves.receive(bytes.substr(0, bytes.size() / 2)))
    halves.receive(bytes.substr(bytes.size() / 2));
  CHRONOS_CHECK(whole.told() == halves.told());
}

}  // namespace
}  // namespace chronos::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chronos::http::try_bytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
