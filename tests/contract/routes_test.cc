// The route table, api/openapi.json, the field tables and docs/errors.md say the same.
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "contract/api_fixture.h"
#include "contract/openapi.h"
#include "http/problem.h"
#include "model/json_codec.h"
#include "model/retry.h"

namespace chronos::contract {
namespace {

using Names = std::set<std::string>;

Names names_of(const json::Value& list) {
  Names names;
  for (const auto& element : list.elements) names.insert(element.string);
  return names;
}

template <class Range>
Names as_names(const Range& range) {
  return Names(range.begin(), range.end());
}

// The parameters of an operation that stand in `place`.
Names parameters(const OpenApi& api, const json::Value& operation, std::string_view place) {
  Names names;
  const auto* list = operation.find("parameters");
  if (list == nullptr) return names;
  for (const auto& element : list->elements) {
    const auto& parameter = api.resolve(element);
    if (parameter.find("in")->string == place) names.insert(parameter.find("name")->string);
  }
  return names;
}

class Routes : public ApiTest {
 protected:
  const OpenApi& openapi_ = OpenApi::built_in();

  const json::Value& operation_of(const http::Route& route) {
    const auto* operation = openapi_.operation(to_string(route.method), route.pattern);
    EXPECT_NE(operation, nullptr) << to_string(route.method) << " " << route.pattern;
    return *operation;
  }
};

TEST_F(Routes, EachIsDocumentedAndNoOther) {
  Names table;
  for (const auto& route : router_.routes()) {
    const auto& operation = operation_of(route);
    table.insert(operation.find("operationId")->string);
  }
  EXPECT_EQ(table.size(), router_.routes().size()) << "an operationId is there twice";
  Names documented;
  for (const auto& path : openapi_.root().find("paths")->members) {
    for (const auto& method : path.value.members) {
      documented.insert(method.value.find("operationId")->string);
    }
  }
  EXPECT_EQ(table, documented);
}

TEST_F(Routes, TheRoleIsDocumented) {
  for (const auto& route : router_.routes()) {
    const auto& operation = operation_of(route);
    const auto* role = operation.find("x-role");
    const auto* security = operation.find("security");
    EXPECT_EQ(role == nullptr, route.access.is_open()) << route.pattern;
    EXPECT_EQ(security != nullptr && security->elements.empty(), route.access.is_open());
    if (role == nullptr) continue;
    EXPECT_EQ(role->string, to_string(route.access.role<Role>())) << route.pattern;
  }
}

TEST_F(Routes, OnlyTheListOfTheProductIsOpen) {
  Names open;
  for (const auto& route : router_.routes()) {
    if (route.access.is_open()) open.insert(route.pattern);
  }
  EXPECT_EQ(open, (Names{"/livez", "/readyz", "/api/login", "/docs/errors"}));
}

TEST_F(Routes, PathParametersAreDocumented) {
  for (const auto& route : router_.routes()) {
    Names in_pattern;
    std::istringstream segments(route.pattern);
    for (std::string segment; std::getline(segments, segment, '/');) {
      if (segment.starts_with(':')) in_pattern.insert(segment.substr(1));
    }
    EXPECT_EQ(parameters(openapi_, operation_of(route), "path"), in_pattern) << route.pattern;
  }
}

// Workers' tokens do for them what the key does for others; a login is nothing that could be
// answered twice, and is harmless to do twice.
TEST_F(Routes, EveryPostTakesAnIdempotencyKey) {
  for (const auto& route : router_.routes()) {
    const auto headers = parameters(openapi_, operation_of(route), "header");
    const bool has_tokens = route.pattern.starts_with("/api/workers/");
    const bool is_login = route.pattern.starts_with("/api/log");
    EXPECT_EQ(headers.contains("Idempotency-Key"),
              route.method == http::Method::post && !has_tokens && !is_login)
        << route.pattern;
  }
}

// What a handler knows is what it says when asked for something else.
TEST_F(Routes, QueryParametersAreDocumentedAndOthersRefused) {
  for (const auto& route : router_.routes()) {
    const auto asked = ask_for(route);
    const auto answer =
        send({route.method, asked.target.substr(0, asked.target.find('?')) + "?zzzzzzzzzz=1",
              asked.body, key_of(Role::admin), asked.headers});
    ASSERT_EQ(answer.status, 422) << route.pattern << answer.body;
    EXPECT_EQ(answer.text("/errors/0/pointer"), "/zzzzzzzzzz");
    EXPECT_EQ(answer.text("/errors/0/code"), "unknown_parameter");
    const auto documented = parameters(openapi_, operation_of(route), "query");
    Names known;
    std::istringstream hint(answer.text("/errors/0/hint"));
    for (std::string word; hint >> word;) {
      if (word.ends_with(',')) word.pop_back();
      known.insert(word);
    }
    if (documented.empty()) {
      EXPECT_EQ(answer.text("/errors/0/hint"), "there are none here") << route.pattern;
    } else {
      known.erase("known:");
      EXPECT_EQ(known, documented) << route.pattern;
    }
  }
}

TEST_F(Routes, TheDeclarationsHaveTheFieldsOfTheTable) {
  auto fields = as_names(spec_field_names());
  fields.insert("api_key");
  for (const auto* schema : {"JobSpec", "JobReschedule", "JobPatch"}) {
    EXPECT_EQ(as_names(openapi_.property_names(schema)), fields) << schema;
  }
  for (const auto name : unsupported_field_names())
    EXPECT_FALSE(fields.contains(std::string(name)));
}

TEST_F(Routes, FieldsOfLaterFeaturesAreRefused) {
  for (const auto name : unsupported_field_names()) {
    const auto answer = post("/api/submitJob", job_body(fmt::format(R"("{}": "x")", name)));
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(answer.code(), "not_supported_yet");
    EXPECT_EQ(answer.text("/errors/0/pointer"), "/" + std::string(name));
  }
}

// An answer has every documented member and no other (the schema says so: see send()), and what
// the document calls a default is what a job without the field gets.
TEST_F(Routes, DocumentedDefaultsAreTheRealOnes) {
  const auto job = post("/api/submitJob", job_body(R"("cron": "0 0 * * *")"));
  const auto check = [&](const json::Value& schema, const json::Value& value,
                         const auto& self) -> void {
    for (const auto& [name, property] : openapi_.resolve(schema).find("properties")->members) {
      const auto* real = value.find(name);
      if (real == nullptr) continue;
      const auto* expected = property.find("default");
      EXPECT_TRUE(expected == nullptr || real->raw == expected->raw) << name << real->raw;
      if (real->is(json::Type::object) &&
          openapi_.resolve(property).find("properties") != nullptr) {
        self(property, *real, self);
      }
    }
  };
  check(openapi_.schema("JobSpec"), job.root(), check);
}

TEST_F(Routes, EnumsAreDocumented) {
  Names states;
  for (const auto state : kRunStates) states.insert(std::string(to_string(state)));
  EXPECT_EQ(names_of(*openapi_.schema("RunState").find("enum")), states);
  Names roles;
  for (const auto& [role, _] : keys_) roles.insert(std::string(to_string(role)));
  EXPECT_EQ(names_of(*openapi_.schema("Role").find("enum")), roles);
  for (const auto& name : names_of(*openapi_.schema("JobStatus").find("enum"))) {
    EXPECT_TRUE(parse_job_status(name)) << name;
  }
  for (const auto& name : names_of(*openapi_.schema("Trigger").find("enum"))) {
    EXPECT_TRUE(parse_trigger(name)) << name;
  }
}

constexpr auto kReasonCount = static_cast<int>(Reason::internal) + 1;

TEST_F(Routes, ErrorCodesAreDocumented) {
  Names codes;
  for (int i = 0; i < kReasonCount; ++i) codes.insert(std::string(to_string(Reason{i})));
  EXPECT_EQ(names_of(*openapi_.schema("ErrorCode").find("enum")), codes);
}

TEST_F(Routes, RetryReasonsAreDocumented) {
  const auto& retry = openapi_.schema("Retry");
  const auto text = retry.find("properties")->find("on")->find("description")->string;
  std::ifstream file(CHRONOS_SOURCE_DIR "/docs/run-states.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const auto reason : retry_reasons()) {
    EXPECT_TRUE(text.contains(reason)) << reason;
    EXPECT_TRUE(page.contains(fmt::format("`{}`", reason))) << reason;
  }
}

// `type` of a problem leads to a heading of the page.
TEST_F(Routes, TheTypeOfAProblemIsServed) {
  const auto problem = get("/api/nothing");
  const auto type = problem.text("/type");
  ASSERT_EQ(type, "/docs/errors#not_found");
  const auto page = send({http::Method::get, type.substr(0, type.find('#')), "", "", {}});
  ASSERT_EQ(page.status, 200) << "without a key";
  EXPECT_EQ(page.content_type, "text/markdown; charset=utf-8");
  for (int i = 0; i < kReasonCount; ++i) {
    EXPECT_TRUE(page.body.contains(fmt::format("\n## {}\n", to_string(Reason{i}))))
        << to_string(Reason{i});
  }
}

// docs/errors.md has one heading for each code, which is where a problem's `type` points, and
// below it the status.
TEST_F(Routes, ErrorsMdExplainsEachCode) {
  std::ifstream file(CHRONOS_SOURCE_DIR "/docs/errors.md");
  ASSERT_TRUE(file);
  Names expected;
  for (int i = 0; i < kReasonCount; ++i) {
    const Reason reason{i};
    expected.insert(fmt::format("## {} {}", to_string(reason), http::status_of(reason)));
  }
  Names found;
  std::string heading;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) {
      heading = line;
    } else if (line.starts_with("**Status ") && !heading.empty()) {
      found.insert(heading + " " + line.substr(9, 3));
    }
  }
  EXPECT_EQ(found, expected);
}

TEST_F(Routes, TheDocumentIsServed) {
  const auto answer = get("/api/openapi.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text("/openapi"), "3.1.0");
}

}  // namespace
}  // namespace chronos::contract
