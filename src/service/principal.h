// Who asks: made by authentication, carried by every call. A plain value.
#pragma once

#include <string>

#include "base/id.h"
#include "model/access.h"

namespace chronos::service {

struct Principal {
  KeyId key;
  std::string key_name;
  ProjectId project;
  std::string project_name;
  Role role = Role::viewer;
};

}  // namespace chronos::service
