// Telling people: a Message is what is told, a Delivery one sending of it to one target. Plain
// values; a Delivery is a row written in the transaction of the outcome it tells about.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/id.h"

namespace chronos {

struct Message {
  std::string event;  // "run.failed", "test"
  std::string project;
  std::string job_id;
  std::string job_name;
  std::string run_id;
  std::string state;  // of the run
  std::string error;
  int attempts = 0;
  Timestamp planned_at;
  Timestamp ended_at;
  std::string output_tail;  // the last lines of the last attempt, at most 4 KiB
};

// Where to: an e-mail address, or a channel of the configuration by name.
struct Target {
  std::string kind;     // "email", "webhook"
  std::string address;  // e-mail address, or the channel's name
};

enum class DeliveryState { waiting, delivered, given_up };

struct Delivery {
  DeliveryId id;
  ProjectId project;
  std::optional<RunId> run;
  Target target;
  Message message;
  DeliveryState state = DeliveryState::waiting;
  int attempts_made = 0;
  Timestamp next_attempt_at;
  std::string error;  // of the last attempt
};

std::string_view to_string(DeliveryState state);
std::optional<DeliveryState> parse_delivery_state(std::string_view text);

}  // namespace chronos
