#include "net/outbound_policy.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"

namespace chronos::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

IpAddress v4_of(const std::uint8_t* bytes) {
  IpAddress address;
  std::ranges::copy(kMappedPrefix, address.bytes.begin());
  std::copy_n(bytes, 4, address.bytes.begin() + kMappedPrefix.size());
  return address;
}

enum class Verdict {
  global,   // may be reached in every mode
  special,  // in internal mode only
  never,
};

struct Block {
  const char* prefix;
  int bits;
  Verdict verdict;
  const char* name;
};

// The IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates), the
// multicast blocks, and the metadata services of clouds. The longest match decides.
constexpr Block kBlocks[] = {
    {"0.0.0.0", 0, Verdict::global, "a global address"},
    {"0.0.0.0", 8, Verdict::never, "an unspecified address (0.0.0.0/8)"},
    {"10.0.0.0", 8, Verdict::special, "a private address (10.0.0.0/8)"},
    {"100.64.0.0", 10, Verdict::special, "a shared address (100.64.0.0/10)"},
    {"100.100.100.200", 32, Verdict::never, "a cloud metadata service"},
    {"127.0.0.0", 8, Verdict::special, "a loopback address (127.0.0.0/8)"},
    {"168.63.129.16", 32, Verdict::never, "a cloud metadata service"},
    {"169.254.0.0", 16, Verdict::never, "a link-local address (169.254.0.0/16)"},
    {"169.254.169.254", 32, Verdict::never, "a cloud metadata service"},
    {"169.254.170.2", 32, Verdict::never, "a cloud metadata service"},
    {"172.16.0.0", 12, Verdict::special, "a private address (172.16.0.0/12)"},
    {"192.0.0.0", 24, Verdict::special, "an IETF protocol assignment (192.0.0.0/24)"},
    {"192.0.0.9", 32, Verdict::global, "a global anycast address"},
    {"192.0.0.10", 32, Verdict::global, "a global anycast address"},
    {"192.0.0.192", 32, Verdict::never, "a cloud metadata service"},
    {"192.0.2.0", 24, Verdict::special, "a documentation address (192.0.2.0/24)"},
    {"192.88.99.0", 24, Verdict::special, "a deprecated relay address (192.88.99.0/24)"},
    {"192.168.0.0", 16, Verdict::special, "a private address (192.168.0.0/16)"},
    {"198.18.0.0", 15, Verdict::special, "a benchmarking address (198.18.0.0/15)"},
    {"198.51.100.0", 24, Verdict::special, "a documentation address (198.51.100.0/24)"},
    {"203.0.113.0", 24, Verdict::special, "a documentation address (203.0.113.0/24)"},
    {"224.0.0.0", 4, Verdict::never, "a multicast address (224.0.0.0/4)"},
    {"240.0.0.0", 4, Verdict::special, "a reserved address (240.0.0.0/4)"},
    {"255.255.255.255", 32, Verdict::never, "the broadcast address"},

    {"::", 0, Verdict::special, "outside the global unicast space (2000::/3)"},
    {"::", 96, Verdict::never, "a deprecated IPv4-compatible address (::/96)"},
    {"::", 128, Verdict::never, "the unspecified address (::)"},
    {"::1", 128, Verdict::special, "the loopback address (::1)"},
    {"::ffff:0:0:0", 96, Verdict::special, "an IPv4-translated address"},
    {"64:ff9b::", 96, Verdict::global, "a NAT64 address"},
    {"64:ff9b:1::", 48, Verdict::special, "a local NAT64 address (64:ff9b:1::/48)"},
    {"100::", 64, Verdict::special, "a discard-only address (100::/64)"},
    {"2000::", 3, Verdict::global, "a global address"},
    {"2001::", 23, Verdict::special, "an IETF protocol assignment (2001::/23)"},
    {"2001::", 32, Verdict::special, "a Teredo address (2001::/32)"},
    {"2001:1::1", 128, Verdict::global, "a global anycast address"},
    {"2001:1::2", 128, Verdict::global, "a global anycast address"},
    {"2001:1::3", 128, Verdict::global, "a global anycast address"},
    {"2001:3::", 32, Verdict::global, "an AMT address"},
    {"2001:4:112::", 48, Verdict::global, "an AS112 address"},
    {"2001:20::", 28, Verdict::global, "an ORCHIDv2 address"},
    {"2001:30::", 28, Verdict::global, "a remote ID address"},
    {"2001:db8::", 32, Verdict::special, "a documentation address (2001:db8::/32)"},
    {"2002::", 16, Verdict::global, "a 6to4 address"},
    {"3fff::", 20, Verdict::special, "a documentation address (3fff::/20)"},
    {"5f00::", 16, Verdict::special, "a segment routing identifier (5f00::/16)"},
    {"fc00::", 7, Verdict::special, "a unique local address (fc00::/7)"},
    {"fd00:42::42", 128, Verdict::never, "a cloud metadata service"},
    {"fd00:ec2::254", 128, Verdict::never, "a cloud metadata service"},
    {"fd20:ce::254", 128, Verdict::never, "a cloud metadata service"},
    {"fe80::", 10, Verdict::never, "a link-local address (fe80::/10)"},
    {"fec0::", 10, Verdict::special, "a deprecated site-local address (fec0::/10)"},
    {"ff00::", 8, Verdict::never, "a multicast address (ff00::/8)"},
};

struct ParsedBlock {
  IpAddress prefix;
  int bits = 0;  // of 128
  const Block* block = nullptr;
};

// Longest prefix first, so that the first match decides.
std::vector<ParsedBlock> parse_blocks() {
  std::vector<ParsedBlock> parsed;
  for (const Block& block : kBlocks) {
    const auto prefix = IpAddress::parse(block.prefix);
    CHRONOS_CHECK(prefix.has_value());
    parsed.push_back({*prefix, block.bits + (prefix->is_v4() ? kMappedBits : 0), &block});
  }
  std::ranges::sort(parsed, std::greater<>{}, &ParsedBlock::bits);
  return parsed;
}

bool lies_in(const IpAddress& address, const IpAddress& prefix, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(prefix.bytes.begin(), prefix.bytes.begin() + bits / 8, address.bytes.begin())) {
    return false;
  }
  const int rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (address.bytes[whole] & mask) == (prefix.bytes[whole] & mask);
}

const Block& block_of(const IpAddress& address) {
  static const std::vector<ParsedBlock> kParsed = parse_blocks();
  const auto found = std::ranges::find_if(kParsed, [&](const ParsedBlock& candidate) {
    return lies_in(address, candidate.prefix, candidate.bits);
  });
  return *found->block;  // ::/0 matches everything
}

// The IPv4 addresses a router on the way may take out of this one and send the packet to.
std::vector<IpAddress> embedded_in(const IpAddress& address) {
  const auto& bytes = address.bytes;
  const auto starts_with = [&](const char* prefix, int bits) {
    return lies_in(address, *IpAddress::parse(prefix), bits);
  };
  std::vector<IpAddress> found;
  if (address.is_v4()) return found;
  if (starts_with("64:ff9b::", 96) || starts_with("64:ff9b:1::", 48) ||
      starts_with("::ffff:0:0:0", 96)) {
    found.push_back(v4_of(&bytes[12]));
  }
  if (starts_with("2002::", 16)) found.push_back(v4_of(&bytes[2]));
  if (starts_with("2001::", 32)) {  // Teredo, RFC 4380 §4: the server, and the client inverted
    found.push_back(v4_of(&bytes[4]));
    std::array<std::uint8_t, 4> client{};
    for (std::size_t i = 0; i < client.size(); ++i) {
      client[i] = static_cast<std::uint8_t>(~bytes[12 + i]);
    }
    found.push_back(v4_of(client.data()));
  }
  // ISATAP, RFC 5214 §6.1: an interface identifier of any prefix.
  if ((bytes[8] & 0xfd) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe) {
    found.push_back(v4_of(&bytes[12]));
  }
  return found;
}

bool is_refused(const Block& block, EgressMode mode) {
  return block.verdict == Verdict::never ||
         (block.verdict == Verdict::special && mode == EgressMode::public_);
}

bool is_unspecified(const IpAddress& address) {
  return address == IpAddress{} || address == *IpAddress::parse("0.0.0.0");
}

// Asked only for a port Chronos listens on at every address, so the system call is rare.
bool is_of_this_machine(const IpAddress& address) {
  if (lies_in(address, *IpAddress::parse("127.0.0.0"), kMappedBits + 8)) return true;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return true;  // not knowing is no permission
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    const auto own = endpoint_of(*each->ifa_addr);
    if (own && own->address == address) return true;
  }
  return false;
}

bool is_own_listener(const OutboundPolicy& policy, const Endpoint& target) {
  return std::ranges::any_of(policy.listeners, [&](const Endpoint& listener) {
    if (listener.port != target.port) return false;
    if (listener.address == target.address) return true;
    return is_unspecified(listener.address) && is_of_this_machine(target.address);
  });
}

constexpr std::array<std::pair<EgressMode, std::string_view>, 2> kModes = {
    {{EgressMode::internal, "internal"}, {EgressMode::public_, "public"}}};

constexpr std::string_view kMetadataHosts[] = {
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.azure.com",
    "metadata.tencentyun.com",
    "metadata.packet.net",
    "metadata.platformequinix.com",
};

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
  std::array<std::uint8_t, 4> four{};
  if (::inet_pton(AF_INET, terminated.c_str(), four.data()) == 1) return v4_of(four.data());
  IpAddress address;
  if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const from = is_v4() ? bytes.data() + kMappedPrefix.size() : bytes.data();
  const int family = is_v4() ? AF_INET : AF_INET6;
  CHRONOS_CHECK(::inet_ntop(family, from, text.data(), text.size()) != nullptr);
  return text.data();
}

std::optional<Endpoint> endpoint_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof(four));
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &four.sin_addr, bytes.size());
    return Endpoint{v4_of(bytes.data()), ntohs(four.sin_port)};
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &address, sizeof(six));
    Endpoint endpoint{{}, ntohs(six.sin6_port)};
    std::memcpy(endpoint.address.bytes.data(), &six.sin6_addr, endpoint.address.bytes.size());
    return endpoint;
  }
  return std::nullopt;
}

std::string_view to_string(EgressMode mode) {
  return kModes[static_cast<std::size_t>(mode)].second;
}

std::optional<EgressMode> parse_egress_mode(std::string_view text) {
  for (const auto& [mode, name] : kModes) {
    if (name == text) return mode;
  }
  return std::nullopt;
}

std::optional<std::string> refusal_of(const OutboundPolicy& policy, const Endpoint& target) {
  const Block& own = block_of(target.address);
  if (is_refused(own, policy.mode)) {
    return fmt::format("{} is {}", target.address.to_string(), own.name);
  }
  for (const IpAddress& inner : embedded_in(target.address)) {
    const Block& block = block_of(inner);
    if (is_refused(block, policy.mode)) {
      return fmt::format("{} stands for {}, which is {}", target.address.to_string(),
                         inner.to_string(), block.name);
    }
  }
  if (is_own_listener(policy, target)) {
    return fmt::format("{} port {} is where Chronos itself listens", target.address.to_string(),
                       target.port);
  }
  return std::nullopt;
}

std::optional<std::string> refusal_of_host(std::string_view host) {
  while (host.ends_with('.')) host.remove_suffix(1);
  const std::string lower = ascii::lower_case(host);
  for (const std::string_view name : kMetadataHosts) {
    if (lower == name) return fmt::format("{} is a name of a cloud metadata service", lower);
  }
  return std::nullopt;
}

}  // namespace chronos::net
