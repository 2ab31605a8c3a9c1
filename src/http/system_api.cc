// The server itself over HTTP: is it well, its numbers, its contract, a test message, a backup.
#include <span>
#include <utility>

#include "base/embedded_file.h"
#include "http/routes.h"

namespace chronos::http {

// Written by cmake/EmbedFiles.cmake.
std::span<const EmbeddedFile> openapi_files();
std::span<const EmbeddedFile> error_pages();

Result<Response> get_liveness(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  return json_response(200, R"({"status":"ok"})");
}

// 503 without a word why: this route is open.
Result<Response> get_readiness(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  if (call.api().system.check_ready()) return json_response(200, R"({"status":"ok"})");
  return json_response(503, R"({"status":"unavailable"})");
}

Result<Response> get_metrics(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  auto response = json_response(200, call.api().metrics());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

Result<Response> get_openapi(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  return json_response(200, std::string(openapi_files().front().content));
}

// Where `type` of every problem leads.
Result<Response> get_error_page(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  auto response = json_response(200, std::string(error_pages().front().content));
  response.content_type = "text/markdown; charset=utf-8";
  return response;
}

Result<void> test_notify(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body_or_empty());
  call.api().system.test_notify(call.who(), body.root(), facts,
                                std::move(end).then<service::TestReply>(
                                    [](const service::TestReply& reply, const service::Principal&) {
                                      std::string text;
                                      json::Writer writer(text);
                                      writer.begin_object().key("sent_to").begin_array();
                                      for (const Target& target : reply.targets) {
                                        writer.begin_object().member("kind", target.kind);
                                        writer.member("address", target.address).end_object();
                                      }
                                      writer.end_array().end_object();
                                      auto response = json_response(202, std::move(text));
                                      if (reply.is_replay)
                                        response.headers.push_back({"Idempotent-Replayed", "true"});
                                      return response;
                                    }));
  return {};
}

Result<Response> back_up(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  CHRONOS_TRY(const auto reply, call.api().system.back_up(call.who(), facts));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("path", reply.file.path).member("bytes", reply.file.bytes);
  writer.end_object();
  return with_replay(json_response(201, std::move(body)), reply.is_replay);
}

}  // namespace chronos::http
