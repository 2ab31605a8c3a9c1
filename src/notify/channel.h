// A way to tell people: the contract every kind of target keeps. The notifier calls; a channel does
// its work on threads of its own and is thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/channel.h"
#include "model/notification.h"

namespace chronos::notify {

// What one sending came to.
struct Sent {
  enum class Kind {
    delivered,
    try_later,
    refused,      // for good: trying again is useless
    interrupted,  // by stop(); nobody is at fault
  };
  Kind kind = Kind::delivered;
  std::string error;                    // one line for people; empty when delivered
  std::optional<Duration> retry_after;  // what the target asked for
  // The declared channel it went to, when its receiver wants nothing any more.
  std::optional<DeclaredChannel> gone = {};
};

// An e-mail to several: their addresses in one, with this between. No address has it (channels.cc).
inline constexpr std::string_view kAddressSeparator = ", ";

class Channel {
 public:
  virtual ~Channel() = default;

  // How many sendings it takes at a time; the notifier hands it no more.
  virtual int sendings_max() const = 0;

  // Returns at once. `done` is called exactly once, on any thread, within about a minute; it must
  // be short.
  virtual void send(const Delivery& delivery, std::move_only_function<void(Sent)> done) = 0;

  // What is being sent ends soon, as interrupted or as what it came to; all of it has ended when
  // stop() returns. Later sendings are interrupted.
  virtual void stop() = 0;
};

}  // namespace chronos::notify
