// Use cases on calendars: validate, then one store call. Thread-safe. What changes something
// answers through `done` (request_facts.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/calendar.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "store/store.h"

namespace chronos::service {

using CalendarReply = store::CalendarAnswer;

class Calendars {
 public:
  Calendars(store::Store& store, const Clock& clock, IdSource& ids)
      : store_(store), clock_(clock), ids_(ids) {}

  // The body must have a name that is free.
  void create(const Principal& who, const json::Value& body, const RequestFacts& facts,
              Done<CalendarReply> done);
  // Creates it, or replaces what was declared as a whole. The same again changes nothing.
  void put(const Principal& who, const std::string& name, const json::Value& body,
           const RequestFacts& facts, Done<CalendarReply> done);
  // The events of an iCalendar file take the place of its events; it is made, as a blackout, when
  // there is none.
  void import(const Principal& who, const std::string& name, std::string_view file,
              const RequestFacts& facts, Done<CalendarReply> done);
  void remove(const Principal& who, const std::string& name, const RequestFacts& facts,
              Done<CalendarReply> done);

  Result<Calendar> find(const Principal& who, const std::string& name) const;
  Result<std::vector<Calendar>> list(const Principal& who) const;

 private:
  struct Edit {
    Principal who;
    std::string name;
    std::vector<schedule::CalendarEvent> events;
    RequestFacts facts;
  };
  store::PutCalendar put_change(Calendar calendar, const Principal& who,
                                const RequestFacts& facts) const;
  void set_events(Edit edit, int tries_left, Done<CalendarReply> done);

  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
};

// The calendars of these names, compiled, in this order. Fails with unknown_calendar().
Result<schedule::CalendarSet> load_calendars(const store::Store& store, ProjectId project,
                                             const std::vector<std::string>& names);

}  // namespace chronos::service
