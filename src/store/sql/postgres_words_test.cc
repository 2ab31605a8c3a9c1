#include "store/sql/postgres_words.h"

#include <gtest/gtest.h>

namespace chronos::store::sql {
namespace {

TEST(PostgresUrl, IsLibpqsButForOurParameter) {
  const auto url_of = [](const std::string& url) {
    const auto options = read_postgres_url(url);
    EXPECT_TRUE(options) << url;
    return options ? options->url + (options->is_pooled ? " pooled" : "") : "";
  };
  EXPECT_EQ(url_of("postgres:///chronos"), "postgres:///chronos");
  EXPECT_EQ(url_of("postgres://a,b/c?target_session_attrs=read-write&sslmode=require"),
            "postgres://a,b/c?target_session_attrs=read-write&sslmode=require");
  EXPECT_EQ(url_of("postgres://a/c?pooler=transaction"), "postgres://a/c pooled");
  EXPECT_EQ(url_of("postgres://a/c?pooler=transaction&sslmode=require"),
            "postgres://a/c?sslmode=require pooled");
  EXPECT_EQ(url_of("postgres://a/c?host=/run&pooler=transaction&port=6432"),
            "postgres://a/c?host=/run&port=6432 pooled");
}

TEST(PostgresUrl, OtherPoolersAreRefused) {
  const auto options = read_postgres_url("postgres://a/c?pooler=session");
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().fields.at(0).hint, "write pooler=transaction, or leave it out");
}

TEST(PostgresSettings, AreOneStatement) {
  const auto settings = settings_for("true");
  EXPECT_EQ(settings.find(';'), std::string::npos);
  EXPECT_NE(settings.find("set_config('search_path', 'chronos', true),"), std::string::npos);
}

}  // namespace
}  // namespace chronos::store::sql
