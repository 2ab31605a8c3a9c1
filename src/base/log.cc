#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/mutex.h"
#include "base/time_text.h"

namespace chronos::log {
namespace {

// The one piece of process-wide state: where log lines go and what must never appear in them.
struct Sink {
  std::shared_ptr<spdlog::logger> logger;  // spdlog hands out nothing else
  Mutex mutex;
  Format format CHRONOS_GUARDED_BY(mutex) = Format::text;
  std::vector<std::string> secrets CHRONOS_GUARDED_BY(mutex);

  Sink()
      : logger(std::make_shared<spdlog::logger>(
            "chronos", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
    logger->set_pattern("%v");
    logger->flush_on(spdlog::level::info);
  }
};

Sink& sink() {
  static Sink instance;
  return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Quotes a value that has a space, a quote, an equals sign or a control character.
std::string quoted(const std::string& value) {
  const bool is_plain =
      !value.empty() && value.find_first_of(" \"=\\") == std::string::npos &&
      std::ranges::all_of(value, [](unsigned char c) { return c > 31 && c != 127; });
  if (is_plain) return value;
  std::string text;
  json::append_string(text, value);
  return text;
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "error";
}

std::optional<Level> parse_level(std::string_view text) {
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) {
    if (to_string(level) == text) return level;
  }
  return std::nullopt;
}

void configure(Level level, Format format) {
  sink().logger->set_level(to_spdlog(level));
  const MutexLock lock(sink().mutex);
  sink().format = format;
}

void mask_secret(std::string secret) {
  if (secret.size() < 8) return;
  const MutexLock lock(sink().mutex);
  sink().secrets.push_back(std::move(secret));
}

std::string masked(std::string text) {
  const MutexLock lock(sink().mutex);
  for (const auto& secret : sink().secrets) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 4)) {
      text.replace(at, secret.size(), "****");
    }
  }
  return text;
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!sink().logger->should_log(to_spdlog(level))) return;
  const auto time = format_timestamp(SystemClock().now());
  Format format;
  {
    const MutexLock lock(sink().mutex);
    format = sink().format;
  }
  std::string line;
  if (format == Format::json) {
    json::Writer writer(line);
    writer.begin_object().member("time", time).member("level", to_string(level));
    writer.member("message", message);
    for (const auto& [name, value] : fields) writer.key(name).string(value);
    writer.end_object();
  } else {
    line.append(time).append(" ").append(to_string(level)).append(" ").append(message);
    for (const auto& [name, value] : fields)
      line.append(" ").append(name).append("=").append(quoted(value));
  }
  sink().logger->log(to_spdlog(level), masked(std::move(line)));
}

}  // namespace chronos::log
