// Use cases on a project's channels: declare them, and try whether something arrives. Thread-safe.
// What changes something answers through `done` (request_facts.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/channel.h"
#include "model/notification.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "store/store.h"

namespace chronos::service {

using ChannelReply = store::ChannelAnswer;

// What one sending came to.
struct ChannelTest {
  bool is_delivered = false;
  std::string error;  // one line for people; empty when delivered
  Duration took{};
};

// What the composition knows of sending and this service does not.
struct ChannelParts {
  // Fine, or FieldErrors at "/to/0", "/url", "/secret".
  std::function<Result<void>(const DeclaredChannel&)> check;
  // Sends once, and tells what came of it: from any thread, some seconds later.
  std::function<void(const DeclaredChannel&, const Delivery&,
                     std::move_only_function<void(ChannelTest)>)>
      send;
};

class Channels {
 public:
  Channels(store::Store& store, const Clock& clock, IdSource& ids, ChannelParts parts);

  // The body must have a name that is free.
  void create(const Principal& who, const json::Value& body, const RequestFacts& facts,
              Done<ChannelReply> done);
  // Creates it, or replaces what was declared; a secret that is not given stays. The same again
  // changes nothing.
  void put(const Principal& who, const std::string& name, const json::Value& body,
           const RequestFacts& facts, Done<ChannelReply> done);
  void remove(const Principal& who, const std::string& name, const RequestFacts& facts,
              Done<ChannelReply> done);

  Result<DeclaredChannel> find(const Principal& who, const std::string& name) const;
  Result<std::vector<DeclaredChannel>> list(const Principal& who) const;
  // Sends to it, each time that this is asked; one that was switched off and takes it is on again.
  void test(const Principal& who, const std::string& name, Done<ChannelTest> done) const;

 private:
  void enable(DeclaredChannel channel, std::move_only_function<void()> then) const;
  void commit(DeclaredChannel channel, bool must_be_new, const Principal& who,
              const RequestFacts& facts, Done<ChannelReply> done);

  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
  const ChannelParts parts_;
};

}  // namespace chronos::service
