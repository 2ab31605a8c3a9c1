// Which addresses a job or a channel may reach (product.md §6, promises.md F1). Decided on the
// resolved address at the moment of connecting, never on the text of a URL: one address has too
// many spellings. The HTTP client asks for every socket it opens; the rules are pure values and
// thread-safe.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace chronos::net {

// IPv4 is held as ::ffff:a.b.c.d, so both families compare alike and a mapped address is its own
// unmapped self.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const IpAddress&) const = default;
  bool is_v4() const;

  // Canonical spellings only (inet_pton): "10.0.0.1", "fe80::1". No brackets, no zone.
  static std::optional<IpAddress> parse(std::string_view text);
  std::string to_string() const;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
};

// Nothing unless it is an AF_INET or AF_INET6 address.
std::optional<Endpoint> endpoint_of(const sockaddr& address);

enum class EgressMode {
  internal,  // loopback and private networks may be reached: what a self-hosted scheduler is for
  public_,   // only what the IANA special-purpose registries (RFC 6890) call globally reachable
};

std::string_view to_string(EgressMode mode);  // "public" for public_
std::optional<EgressMode> parse_egress_mode(std::string_view text);

struct OutboundPolicy {
  EgressMode mode = EgressMode::internal;
  // Where Chronos itself listens; 0.0.0.0 and :: stand for every address of this machine.
  std::vector<Endpoint> listeners{};
};

// Why `target` may not be reached, for people ("169.254.169.254 is a link-local address (…)"), or
// nothing when it may. In every mode: link-local, multicast, broadcast and unspecified addresses,
// the metadata services of clouds, and Chronos's own listeners. An IPv4 address inside an IPv6
// one (NAT64, 6to4, Teredo, ISATAP, IPv4-translated) is judged too.
std::optional<std::string> refusal_of(const OutboundPolicy& policy, const Endpoint& target);

// Why this host name may not even be looked up: it is one a cloud's metadata service answers to.
std::optional<std::string> refusal_of_host(std::string_view host);

}  // namespace chronos::net
