#include "http/problem.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/json.h"

namespace chronos::http {
namespace {

// Written out a second time on purpose: product.md §3a, not the code, says which status it is.
const std::map<Reason, int> kStatuses = {
    {Reason::bad_request, 400},
    {Reason::bad_json, 400},
    {Reason::bad_encoding, 400},
    {Reason::too_deep, 400},
    {Reason::invalid_fields, 422},
    {Reason::not_supported_yet, 422},
    {Reason::schedule_never_fires, 422},
    {Reason::idempotency_key_reused, 422},
    {Reason::body_too_large, 413},
    {Reason::unsupported_media_type, 415},
    {Reason::headers_too_large, 431},
    {Reason::uri_too_long, 414},
    {Reason::request_timeout, 408},
    {Reason::missing_key, 401},
    {Reason::invalid_key, 401},
    {Reason::expired_key, 401},
    {Reason::revoked_key, 401},
    {Reason::role_too_low, 403},
    {Reason::cross_site, 403},
    {Reason::not_found, 404},
    {Reason::method_not_allowed, 405},
    {Reason::key_taken, 409},
    {Reason::unique_taken, 409},
    {Reason::state_conflict, 409},
    {Reason::version_mismatch, 412},
    {Reason::idempotency_in_flight, 409},
    {Reason::lease_lost, 409},
    {Reason::too_many_requests, 429},
    {Reason::store_full, 507},
    {Reason::unknown_commit, 503},
    {Reason::overloaded, 503},
    {Reason::shutting_down, 503},
    {Reason::store_unavailable, 503},
    {Reason::timeout, 504},
    {Reason::internal, 500},
};

const Header* find(const Response& response, std::string_view name) {
  for (const Header& header : response.headers) {
    if (header.name == name) return &header;
  }
  return nullptr;
}

TEST(Problem, EveryReasonHasItsStatusAndTitle) {
  ASSERT_EQ(kStatuses.size(), static_cast<std::size_t>(Reason::internal) + 1);
  std::set<std::string_view> titles;
  for (const auto& [reason, status] : kStatuses) {
    EXPECT_EQ(status_of(reason), status) << to_string(reason);
    EXPECT_FALSE(title_of(reason).empty()) << to_string(reason);
    EXPECT_TRUE(titles.insert(title_of(reason)).second) << title_of(reason);
  }
}

TEST(Problem, EveryReasonMakesACompleteDocument) {
  for (const auto& [reason, status] : kStatuses) {
    const Response response = problem({reason, "what is wrong", "do this", {}}, "/api/jobs");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.content_type, "application/problem+json");
    const auto document = json::parse(response.body);
    ASSERT_TRUE(document) << response.body;
    const json::Value& root = document->root();
    const std::string code(to_string(reason));
    EXPECT_EQ(root.find("type")->string, "/docs/errors#" + code);
    EXPECT_EQ(root.find("title")->string, title_of(reason));
    EXPECT_EQ(root.find("status")->integer, status);
    EXPECT_EQ(root.find("instance")->string, "/api/jobs");
    EXPECT_EQ(root.find("code")->string, code);
    EXPECT_EQ(find(response, "WWW-Authenticate") != nullptr, status == 401) << code;
    const bool may_repeat =
        status == 503 || status == 429 || reason == Reason::idempotency_in_flight;
    EXPECT_EQ(find(response, "Retry-After") != nullptr, may_repeat) << code;
  }
}

TEST(Problem, DetailHintAndFieldsAreTold) {
  Error error{Reason::invalid_fields, "one field is wrong", "look it up", {}};
  error.fields.push_back({"/cron", "out_of_range", "24 is outside 0-23", "write 0", 3, 2});
  error.fields.push_back({"/na\"me", "too_long", "too long", "", 0, 0});
  EXPECT_EQ(problem(error, "/api/submitJob").body,
            R"({"type":"/docs/errors#invalid_fields",)"
            R"("title":"A field has a value that cannot be accepted","status":422,)"
            R"("detail":"one field is wrong","instance":"/api/submitJob","code":"invalid_fields",)"
            R"("errors":[{"pointer":"/cron","code":"out_of_range","detail":"24 is outside 0-23",)"
            R"("column":3,"length":2,"hint":"write 0"},)"
            R"({"pointer":"/na\"me","code":"too_long","detail":"too long"}],"hint":"look it up"})");
}

TEST(Problem, InternalDetailStaysInside) {
  Error error{Reason::internal, "SELECT secret FROM keys", "hint-secret", {}};
  error.fields.push_back({"/secret", "secret", "secret", "", 0, 0});
  EXPECT_EQ(problem(error, "/api/jobs").body.find("secret"), std::string::npos);
}

TEST(Problem, ChallengeTellsAMissingKeyFromABadOne) {
  const auto challenge = [](Reason reason) {
    return find(problem({reason, "", "", {}}, "/"), "WWW-Authenticate")->value;
  };
  EXPECT_EQ(challenge(Reason::missing_key), "Bearer realm=\"chronos\"");
  EXPECT_EQ(challenge(Reason::invalid_key), "Bearer realm=\"chronos\", error=\"invalid_token\"");
  EXPECT_EQ(challenge(Reason::expired_key), challenge(Reason::invalid_key));
  EXPECT_EQ(challenge(Reason::revoked_key), challenge(Reason::invalid_key));
}

}  // namespace
}  // namespace chronos::http
