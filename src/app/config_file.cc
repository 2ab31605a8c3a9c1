#include "app/config_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace chronos::app {
namespace {

std::string as_text(const toml::node& node) {
  return node.visit([](const auto& value) -> std::string {
    using Node = std::remove_cvref_t<decltype(value)>;
    if constexpr (toml::is_string<Node>) {
      return value.get();
    } else if constexpr (toml::is_integer<Node> || toml::is_floating_point<Node>) {
      return fmt::format("{}", value.get());
    } else if constexpr (toml::is_boolean<Node>) {
      return value.get() ? "true" : "false";
    } else {
      return {};
    }
  });
}

Given::Form form_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return Given::Form::string;
    case toml::node_type::integer:
      return Given::Form::integer;
    case toml::node_type::floating_point:
      return Given::Form::number;
    case toml::node_type::boolean:
      return Given::Form::boolean;
    case toml::node_type::table:
      return Given::Form::empty_table;
    default:
      return Given::Form::other;
  }
}

Given given_of(const toml::node& node) {
  const auto* array = node.as_array();
  if (array == nullptr) return {form_of(node), as_text(node), {}};
  Given given{Given::Form::list, {}, {}};
  for (const auto& element : *array) {
    if (!element.is_string()) return {Given::Form::other, {}, {}};
    given.elements.push_back(as_text(element));
  }
  return given;
}

void collect(const toml::table& table, const std::vector<std::string>& parent,
             std::vector<FileEntry>& entries) {
  for (const auto& [key, node] : table) {
    auto path = parent;
    path.emplace_back(key.str());
    if (const auto* inner = node.as_table(); inner != nullptr && !inner->empty()) {
      collect(*inner, path, entries);
      continue;
    }
    const auto& place = key.source().begin;
    entries.push_back({std::move(path), given_of(node), static_cast<int>(place.line),
                       static_cast<int>(place.column)});
  }
}

}  // namespace

Result<std::vector<FileEntry>> parse_config_file(std::string_view text, std::string_view name) {
  try {
    const auto table = toml::parse(text, name);
    std::vector<FileEntry> entries;
    collect(table, {}, entries);
    std::ranges::sort(entries, {}, [](const FileEntry& entry) {
      return std::pair(entry.line, entry.column);  // no two keys stand in one place
    });
    return entries;
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    return fail_field("", "bad_toml",
                      fmt::format("{}:{}:{}: {}", name, place.line, place.column,
                                  std::string_view(error.description())));
  }
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found) {
    return fail(Reason::not_found, fmt::format("there is no file {}", path));
  }
  if (std::filesystem::is_directory(status)) {
    return fail(Reason::bad_request, fmt::format("{} is a directory", path));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes_max + 1, '\0');
  errno = 0;
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return fail(Reason::bad_request, fmt::format("{} cannot be read: {}", path,
                                                 errno == 0 ? "unknown" : std::strerror(errno)));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > bytes_max) {
    return fail(Reason::bad_request, fmt::format("{} is larger than {} bytes", path, bytes_max));
  }
  return text;
}

}  // namespace chronos::app
