// Channels of a project over HTTP.
#include <fmt/format.h>

#include <utility>

#include "base/fields.h"
#include "http/routes.h"
#include "model/channel.h"

namespace chronos::http {
namespace {

Response channel_response(int status, const DeclaredChannel& channel) {
  std::string body;
  json::Writer writer(body);
  write_channel(writer, channel);
  auto response = json_response(status, std::move(body));
  response.headers.push_back({"ETag", fmt::format("\"v{}\"", channel.version)});
  if (status == 201) response.headers.push_back({"Location", "/api/channels/" + channel.name});
  return response;
}

service::Done<service::ChannelReply> answer_channel(Ending& end) {
  return std::move(end).then<service::ChannelReply>([](const service::ChannelReply& reply,
                                                       const service::Principal&) {
    return with_replay(channel_response(reply.is_new ? 201 : 200, reply.channel), reply.is_replay);
  });
}

Response test_response(const service::ChannelTest& test) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("delivered", test.is_delivered).member("error", test.error);
  writer.key("took");
  fields::write_value(writer, std::chrono::ceil<std::chrono::milliseconds>(test.took));
  writer.end_object();
  return json_response(200, std::move(body));
}

// What was made is answered as made, a repetition too.
service::Done<service::ChannelReply> answer_new_channel(Ending& end) {
  return std::move(end).then<service::ChannelReply>(
      [](const service::ChannelReply& reply, const service::Principal&) {
        return with_replay(channel_response(201, reply.channel), reply.is_replay);
      });
}

}  // namespace

Result<Response> list_channels(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto channels, call.api().channels.list(call.who()));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("channels").begin_array();
  for (const auto& channel : channels) write_channel(writer, channel);
  writer.end_array().key("next").null().end_object();
  return json_response(200, std::move(body));
}

Result<Response> get_channel(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  const std::string name(call.path_param("channel"));
  CHRONOS_TRY(const auto channel, call.api().channels.find(call.who(), name));
  return channel_response(200, channel);
}

Result<void> create_channel(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  call.api().channels.create(call.who(), body.root(), facts, answer_new_channel(end));
  return {};
}

Result<void> put_channel(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  const std::string name(call.path_param("channel"));
  call.api().channels.put(call.who(), name, body.root(), facts, answer_channel(end));
  return {};
}

Result<void> delete_channel(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  const std::string name(call.path_param("channel"));
  call.api().channels.remove(call.who(), name, facts, answer_channel(end));
  return {};
}

Result<void> test_channel(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY_VOID(call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  const std::string name(call.path_param("channel"));
  call.api().channels.test(call.who(), name,
                           std::move(end).then<service::ChannelTest>(
                               [](const service::ChannelTest& test, const service::Principal&) {
                                 return test_response(test);
                               }));
  return {};
}

}  // namespace chronos::http
