// Structured log lines on stderr: one line per event, `message key=value …` on a terminal, JSON
// otherwise or when asked. Thread-safe. Values are escaped; secrets registered with mask_secret()
// are replaced wherever they appear.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace chronos::log {

enum class Level { debug, info, warn, error };
enum class Format { text, json };

std::string_view to_string(Level level);
std::optional<Level> parse_level(std::string_view text);

using Field = std::pair<std::string_view, std::string>;

void configure(Level level, Format format);
void mask_secret(std::string secret);  // shorter than 8 characters: ignored, it would mask noise
std::string masked(std::string text);

void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::info, message, fields);
}
inline void warn(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::warn, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::error, message, fields);
}

}  // namespace chronos::log
