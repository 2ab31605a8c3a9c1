// The audit log over HTTP.
#include <utility>

#include "base/crypto.h"
#include "http/query.h"
#include "http/routes.h"

namespace chronos::http {

Result<Response> list_audit(const Call& call) {
  AuditFilter filter;
  Query query(call.request());
  query.text("resource", filter.resource);
  query.choice("actor", &KeyId::parse, "the id of a key: key_…", filter.actor);
  query.text("action", filter.action);
  query.time("since", filter.since);
  query.time("until", filter.until);
  query.integer("limit", {1, kPageMax}, filter.limit);
  query.cursor(filter.after);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(const auto page, call.api().audit.list(call.who(), std::move(filter)));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("entries").begin_array();
  for (const auto& entry : page.rows) write_audit_entry(writer, entry);
  writer.end_array().key("next");
  page.has_more ? writer.string(to_base64(page.last.to_string())) : writer.null();
  writer.end_object();
  return json_response(200, std::move(body));
}

}  // namespace chronos::http
