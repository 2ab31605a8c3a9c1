// What the jobs of a demo are, and how their attempts come out. Data; used by demo.cc.
#pragma once

#include <span>
#include <string_view>

namespace chronos::app {

struct DemoJob {
  std::string_view name;
  std::string_view members;  // of its declaration, beside the name
  int seconds = 1;           // that an attempt takes, give or take the half
  int failing_permille = 0;
  std::string_view output = "";
  std::string_view error_output = "";  // of an attempt that fails
};
std::span<const DemoJob> demo_jobs();

struct DemoCalendar {
  std::string_view name;
  std::string_view body;
};
std::span<const DemoCalendar> demo_calendars();

}  // namespace chronos::app
