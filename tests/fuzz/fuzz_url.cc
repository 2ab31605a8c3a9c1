// Any text as a URL and as an address: what is taken has the scheme, host and port that will be
// used, is read again as itself, and no spelling of an address is let through that another is not.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/outbound_policy.h"
#include "net/url.h"

namespace chronos::net {
namespace {

void try_text(std::string_view text) {
  if (const auto url = parse_url(text)) {
    CHRONOS_CHECK(url->scheme == "http" || url->scheme == "https");
    CHRONOS_CHECK(!url->host.empty());
    CHRONOS_CHECK(url->text.size() <= kUrlBytesMax);
    for (const char byte : url->text) CHRONOS_CHECK(byte > ' ' && byte < '\x7f');
    const auto again = parse_url(url->text);
    CHRONOS_CHECK(again.has_value() && *again == *url);
  }
  const auto base = *parse_url("http://example.com/a/b?c");
  if (const auto led = resolve_url(base, text)) {
    CHRONOS_CHECK(led->scheme == "http" || led->scheme == "https");
    CHRONOS_CHECK(parse_url(led->text).has_value());
  }
  if (const auto address = IpAddress::parse(std::string(text))) {
    const auto written = IpAddress::parse(address->to_string());
    CHRONOS_CHECK(written.has_value() && *written == *address);
  }
}

}  // namespace
}  // namespace chronos::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chronos::net::try_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
