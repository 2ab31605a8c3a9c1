#include "net/outbound_policy.h"

#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/un.h>

#include <cstring>
#include <memory>

namespace chronos::net {
namespace {

Endpoint at(const char* address, std::uint16_t port = 80) {
  const auto parsed = IpAddress::parse(address);
  EXPECT_TRUE(parsed.has_value()) << address;
  return {parsed.value_or(IpAddress{}), port};
}

bool is_allowed(EgressMode mode, const char* address) {
  return !refusal_of({.mode = mode, .listeners = {}}, at(address)).has_value();
}

struct Row {
  const char* address;
  bool internal;  // allowed in this mode?
  bool public_;
};

constexpr Row kRows[] = {
    // Global addresses and the edges of the blocks around them.
    {"1.1.1.1", true, true},
    {"9.255.255.255", true, true},
    {"11.0.0.0", true, true},
    {"100.63.255.255", true, true},
    {"100.128.0.0", true, true},
    {"126.255.255.255", true, true},
    {"128.0.0.1", true, true},
    {"169.253.255.255", true, true},
    {"169.255.0.0", true, true},
    {"172.15.255.255", true, true},
    {"172.32.0.0", true, true},
    {"192.0.0.9", true, true},
    {"192.0.1.0", true, true},
    {"192.31.196.1", true, true},
    {"192.167.255.255", true, true},
    {"192.169.0.0", true, true},
    {"198.17.255.255", true, true},
    {"198.20.0.0", true, true},
    {"223.255.255.255", true, true},
    {"2606:4700::1111", true, true},
    {"2a00:1450::1", true, true},
    {"2001:200::1", true, true},
    {"2001:4:112::1", true, true},
    {"2001:20::1", true, true},
    {"2620:4f:8000::1", true, true},
    // Loopback, private and other special addresses.
    {"127.0.0.1", true, false},
    {"127.255.255.254", true, false},
    {"10.0.0.1", true, false},
    {"10.255.255.255", true, false},
    {"172.16.0.1", true, false},
    {"172.31.255.255", true, false},
    {"192.168.0.1", true, false},
    {"100.64.0.1", true, false},
    {"100.127.255.255", true, false},
    {"192.0.0.8", true, false},
    {"192.0.0.170", true, false},
    {"192.0.2.1", true, false},
    {"192.88.99.1", true, false},
    {"198.18.0.1", true, false},
    {"198.19.255.255", true, false},
    {"198.51.100.7", true, false},
    {"203.0.113.7", true, false},
    {"240.0.0.1", true, false},
    {"255.255.255.254", true, false},
    {"::1", true, false},
    {"fc00::1", true, false},
    {"fd12:3456::1", true, false},
    {"fec0::1", true, false},
    {"2001:db8::1", true, false},
    {"2001:2::1", true, false},
    {"2001:1ff::1", true, false},
    {"100::1", true, false},
    {"3fff::1", true, false},
    {"5f00::1", true, false},
    {"4000::1", true, false},
    {"64:ff9b:1::808:808", true, false},
    // Never.
    {"0.0.0.0", false, false},
    {"0.1.2.3", false, false},
    {"169.254.0.1", false, false},
    {"169.254.169.254", false, false},
    {"169.254.170.2", false, false},
    {"100.100.100.200", false, false},
    {"168.63.129.16", false, false},
    {"192.0.0.192", false, false},
    {"224.0.0.1", false, false},
    {"239.255.255.255", false, false},
    {"255.255.255.255", false, false},
    {"::", false, false},
    {"::127.0.0.1", false, false},
    {"::169.254.169.254", false, false},
    {"fe80::1", false, false},
    {"febf:ffff::1", false, false},
    {"ff02::1", false, false},
    {"fd00:ec2::254", false, false},
    {"fd20:ce::254", false, false},
    {"fd00:42::42", false, false},
    // IPv4 inside IPv6: mapped, NAT64, 6to4, Teredo (server, client), ISATAP, translated.
    {"::ffff:1.1.1.1", true, true},
    {"::ffff:127.0.0.1", true, false},
    {"::ffff:7f00:1", true, false},
    {"::ffff:10.1.2.3", true, false},
    {"::ffff:169.254.169.254", false, false},
    {"::ffff:a9fe:a9fe", false, false},
    {"::ffff:0.0.0.0", false, false},
    {"64:ff9b::1.1.1.1", true, true},
    {"64:ff9b::10.0.0.1", true, false},
    {"64:ff9b::127.0.0.1", true, false},
    {"64:ff9b::169.254.169.254", false, false},
    {"64:ff9b:1::169.254.169.254", false, false},
    {"2002:101:101::1", true, true},
    {"2002:a00:1::1", true, false},
    {"2002:7f00:1::1", true, false},
    {"2002:a9fe:a9fe::1", false, false},
    {"2001:0:101:101::fefe:fefe", true, false},
    {"2001:0:a9fe:a9fe::fefe:fefe", false, false},
    {"2001:0:101:101::5601:5601", false, false},
    {"2606:4700::5efe:8.8.8.8", true, true},
    {"2606:4700::5efe:10.0.0.1", true, false},
    {"2606:4700::200:5efe:169.254.169.254", false, false},
    {"2606:4700::5efe:169.254.169.254", false, false},
    {"::ffff:0:169.254.169.254", false, false},
    {"::ffff:0:10.0.0.1", true, false},
};

TEST(OutboundPolicy, DecidesByTable) {
  for (const Row& row : kRows) {
    EXPECT_EQ(is_allowed(EgressMode::internal, row.address), row.internal) << row.address;
    EXPECT_EQ(is_allowed(EgressMode::public_, row.address), row.public_) << row.address;
  }
}

// The spellings stock tools accept (promises.md, finding 5), resolved as the C library does: what
// counts is the address that comes out.
TEST(OutboundPolicy, SpellingsOfOneAddressAreOneAddress) {
  constexpr const char* kSpellings[] = {
      "169.254.169.254",   "2852039166",          "0xa9fea9fe",        "0xa9.0xfe.43518",
      "169.16689662",      "0251.0376.0251.0376", "169.254.43518",     "0xA9FEA9FE",
      "00251.254.169.254", "025177524776",        "0xa9.254.0251.0xfe"};
  for (const char* spelling : kSpellings) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    ASSERT_EQ(::getaddrinfo(spelling, "80", &hints, &list), 0) << spelling;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
    const auto endpoint = endpoint_of(*list->ai_addr);
    ASSERT_TRUE(endpoint.has_value());
    EXPECT_EQ(endpoint->port, 80);
    EXPECT_TRUE(refusal_of({}, *endpoint).has_value()) << spelling;
  }
}

TEST(OutboundPolicy, RefusesItsOwnListener) {
  const OutboundPolicy policy{EgressMode::internal, {at("127.0.0.1", 8086), at("::1", 8086)}};
  EXPECT_TRUE(refusal_of(policy, at("127.0.0.1", 8086)));
  EXPECT_TRUE(refusal_of(policy, at("::ffff:127.0.0.1", 8086)));
  EXPECT_TRUE(refusal_of(policy, at("::1", 8086)));
  EXPECT_FALSE(refusal_of(policy, at("127.0.0.1", 8087)));
  EXPECT_FALSE(refusal_of(policy, at("10.0.0.1", 8086)));
}

TEST(OutboundPolicy, ListenerOnAllAddressesIsEveryAddressOfThisMachine) {
  for (const char* any : {"0.0.0.0", "::"}) {
    const OutboundPolicy policy{EgressMode::internal, {at(any, 8086)}};
    EXPECT_TRUE(refusal_of(policy, at("127.0.0.1", 8086)));
    EXPECT_TRUE(refusal_of(policy, at("127.9.9.9", 8086)));
    EXPECT_FALSE(refusal_of(policy, at("127.0.0.1", 80)));
    EXPECT_FALSE(refusal_of(policy, at("198.51.100.1", 8086)));
  }
}

TEST(OutboundPolicy, SaysWhy) {
  EXPECT_EQ(refusal_of({}, at("64:ff9b::169.254.169.254")).value_or(""),
            "64:ff9b::a9fe:a9fe stands for 169.254.169.254, which is a cloud metadata service");
  EXPECT_EQ(refusal_of({EgressMode::public_, {}}, at("10.1.2.3")).value_or(""),
            "10.1.2.3 is a private address (10.0.0.0/8)");
  EXPECT_EQ(refusal_of({EgressMode::internal, {at("10.1.2.3", 1)}}, at("10.1.2.3", 1)).value_or(""),
            "10.1.2.3 port 1 is where Chronos itself listens");
}

TEST(OutboundPolicy, OnlyInternetSocketsHaveAnEndpoint) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  sockaddr address{};
  std::memcpy(&address, &local, sizeof(address));
  EXPECT_FALSE(endpoint_of(address).has_value());
}

TEST(OutboundPolicy, MetadataNamesAreRefusedHoweverSpelt) {
  for (const char* name :
       {"metadata.google.internal", "METADATA.google.Internal", "metadata.google.internal.",
        "metadata", "instance-data", "metadata.goog..", "metadata.tencentyun.com"}) {
    EXPECT_TRUE(refusal_of_host(name).has_value()) << name;
  }
  for (const char* name : {"example.com", "metadata.example.com", "notmetadata", "", "."}) {
    EXPECT_FALSE(refusal_of_host(name).has_value()) << name;
  }
}

TEST(OutboundPolicy, ModesHaveNames) {
  for (const EgressMode mode : {EgressMode::internal, EgressMode::public_}) {
    EXPECT_EQ(parse_egress_mode(to_string(mode)), mode);
  }
  EXPECT_EQ(to_string(EgressMode::public_), "public");
  EXPECT_FALSE(parse_egress_mode("public_"));
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  for (const char* text : {"1.2.3.4", "0.0.0.0", "::", "::1", "fe80::1", "2001:db8::ff"}) {
    EXPECT_EQ(IpAddress::parse(text).value_or(IpAddress{}).to_string(), text);
  }
  EXPECT_EQ(IpAddress::parse("::ffff:1.2.3.4"), IpAddress::parse("1.2.3.4"));
  for (const std::string_view text :
       {std::string_view(""), std::string_view("1.2.3"), std::string_view("1.2.3.4.5"),
        std::string_view("[::1]"), std::string_view("fe80::1%lo"), std::string_view("01.2.3.4"),
        std::string_view("1.2.3.4\0", 8), std::string_view("localhost")}) {
    EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace chronos::net
