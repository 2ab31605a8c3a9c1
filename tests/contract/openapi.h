// api/openapi.json as the tests use it: which operations there are, and whether an answer is what
// the document says. Immutable once read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace chronos::contract {

class OpenApi {
 public:
  // The document that is built into the program.
  static const OpenApi& built_in();

  explicit OpenApi(std::string_view text);

  const json::Value& root() const { return document_.root(); }

  // The operation of a route pattern such as "/api/jobs/:job_id"; null if there is none.
  const json::Value* operation(std::string_view method, std::string_view pattern) const;

  // The Response Object of an operation for this status, `default` not counted.
  const json::Value* response(const json::Value& operation, int status) const;

  // Follows "$ref" until there is none.
  const json::Value& resolve(const json::Value& value) const;

  const json::Value& schema(std::string_view name) const;
  std::vector<std::string> property_names(std::string_view schema) const;  // sorted

  // What is wrong with `value` by `schema`: a line for each fault, with its place. Keywords that
  // this does not know are faults too, so that none is silently passed over.
  std::vector<std::string> faults(const json::Value& schema, const json::Value& value) const;

 private:
  json::Document document_;
};

}  // namespace chronos::contract
