// Looking into the audit log. Thread-safe; blocks. (The entries are written with the changes.)
#pragma once

#include <utility>

#include "base/result.h"
#include "model/audit.h"
#include "model/page.h"
#include "service/principal.h"
#include "store/store.h"

namespace chronos::service {

class Audit {
 public:
  explicit Audit(store::Store& store) : store_(store) {}

  Result<Page<AuditEntry>> list(const Principal& who, AuditFilter filter) const {
    filter.project = who.project;
    return store_.list_audit(filter);
  }

 private:
  store::Store& store_;
};

}  // namespace chronos::service
