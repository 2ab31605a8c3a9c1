#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "base/time_text.h"
#include "cli/safe_text.h"

namespace chronos::cli {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::size_t kNarrowest = 8;  // a column is not cut below this

std::string padded(std::string_view text, std::size_t width) {
  std::string line(text);
  line.append(width - std::min(width, width_of(text)), ' ');
  return line;
}

void append_indented(std::string& out, const json::Value& value, std::size_t depth) {
  const auto new_line = [&](std::size_t indent) {
    out += '\n';
    out.append(indent * 2, ' ');
  };
  if (value.is(json::Type::object) && !value.members.empty()) {
    out += '{';
    for (const auto& member : value.members) {
      if (&member != &value.members.front()) out += ',';
      new_line(depth + 1);
      json::append_string(out, member.name);
      out += ": ";
      append_indented(out, member.value, depth + 1);
    }
    new_line(depth);
    out += '}';
  } else if (value.is(json::Type::array) && !value.elements.empty()) {
    out += '[';
    for (const auto& element : value.elements) {
      if (&element != &value.elements.front()) out += ',';
      new_line(depth + 1);
      append_indented(out, element, depth + 1);
    }
    new_line(depth);
    out += ']';
  } else {
    out += value.raw;
  }
}

// The line with the fault in it and a caret line below, both indented.
std::string caret_lines(std::string_view text, int column, int length) {
  const auto shown = safe_line(text);
  // An escape is longer than what it stands for, so columns are counted again over the safe text.
  std::size_t at = 0;
  for (int left = column - 1; left > 0 && at < text.size(); --left) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U) ++at;
  }
  auto end = at;
  for (int left = length; left > 0 && end < text.size(); --left) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) ++end;
  }
  const auto before = width_of(safe_line(text.substr(0, at)));
  const auto marked = std::max<std::size_t>(1, width_of(safe_line(text.substr(at, end - at))));
  return fmt::format("    {}\n    {}{}\n", shown, std::string(before, ' '),
                     std::string(marked, '^'));
}

std::string text_at(const json::Value* sent, const FieldError& field) {
  if (sent == nullptr || field.column <= 0) return {};
  const auto* value = find_pointer(*sent, field.pointer);
  return value != nullptr && value->is(json::Type::string) ? value->string : std::string();
}

}  // namespace

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return kUsage;
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return kDenied;
    case ErrorCode::not_found:
      return kNotFound;
    case ErrorCode::already_exists:
    case ErrorCode::conflict:
      return kConflict;
    case ErrorCode::limit_exceeded:
    case ErrorCode::unavailable:
      return kUnavailable;
    case ErrorCode::timeout:
      return kTimeout;
    case ErrorCode::internal:
      return kFailed;
  }
  return kFailed;
}

bool wants_color(bool is_tty, const app::Environment& environment, bool is_refused) {
  const auto value = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string_view() : std::string_view(found->second);
  };
  if (is_refused || !value("NO_COLOR").empty()) return false;
  if (const auto force = value("CLICOLOR_FORCE"); !force.empty() && force != "0") return true;
  return is_tty && value("TERM") != "dumb";
}

Color color_of_state(std::string_view state) {
  if (state == "succeeded") return Color::green;
  if (state == "failed" || state == "timed_out" || state == "lost") return Color::red;
  if (state == "running") return Color::blue;
  if (state == "retrying" || state == "paused" || state == "missed") return Color::yellow;
  if (state == "cancelled" || state == "skipped") return Color::dim;
  return Color::none;
}

std::string colored(std::string_view text, Color color, bool has_color) {
  constexpr std::array<std::string_view, 6> kCodes = {"", "31", "32", "33", "34", "2"};
  if (!has_color || color == Color::none || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(color)], text);
}

void Table::add(std::vector<Cell> row) {
  for (auto& cell : row) cell.text = safe_line(cell.text);
  rows_.push_back(std::move(row));
}

// Each column as wide as its widest cell; then the widest but the first give way until all fit.
std::vector<std::size_t> Table::widths_for(std::size_t columns) const {
  std::vector<std::size_t> widths;
  widths.reserve(headers_.size());
  for (const auto& header : headers_) widths.push_back(width_of(header));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i].text));
    }
  }
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(), kGap.size() * (widths.size() - 1));
  };
  while (columns > 0 && widths.size() > 1 && total() > columns) {
    const auto widest = std::max_element(widths.begin() + 1, widths.end());
    if (*widest <= kNarrowest) break;
    --*widest;
  }
  return widths;
}

void Table::print(Terminal& terminal) const {
  if (!terminal.is_out_tty) {
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        terminal.out << (i == 0 ? "" : "\t")
                     << colored(row[i].text, row[i].color, terminal.has_out_color);
      }
      terminal.out << '\n';
    }
    return;
  }
  const auto widths = widths_for(terminal.columns);
  const auto print_row = [&](std::size_t count, auto&& cell_at) {
    for (std::size_t i = 0; i < count; ++i) {
      const Cell cell = cell_at(i);
      auto text = cut_to_width(cell.text, widths[i]);
      if (i + 1 < count) text = padded(text, widths[i]);
      terminal.out << (i == 0 ? "" : kGap) << colored(text, cell.color, terminal.has_out_color);
    }
    terminal.out << '\n';
  };
  print_row(headers_.size(), [&](std::size_t i) { return Cell(headers_[i], Color::dim); });
  for (const auto& row : rows_) {
    print_row(row.size(), [&](std::size_t i) { return row[i]; });
  }
}

void Record::add(std::string name, Cell value) {
  value.text = safe_line(value.text);
  if (!value.text.empty()) lines_.emplace_back(std::move(name), std::move(value));
}

void Record::print(Terminal& terminal) const {
  std::size_t width = 0;
  for (const auto& [name, value] : lines_) width = std::max(width, width_of(name));
  for (const auto& [name, value] : lines_) {
    const auto shown = colored(value.text, value.color, terminal.has_out_color);
    if (terminal.is_out_tty) {
      terminal.out << colored(padded(name, width), Color::dim, terminal.has_out_color) << kGap
                   << shown << '\n';
    } else {
      terminal.out << name << '\t' << shown << '\n';
    }
  }
}

void print_json(Terminal& terminal, std::string_view text) {
  std::string shown(text);
  if (terminal.is_out_tty) {
    if (const auto document = json::parse(text)) {
      shown.clear();
      append_indented(shown, document->root(), 0);
    }
    shown = safe_json(shown);
  }
  terminal.out << shown;
  if (!shown.ends_with('\n')) terminal.out << '\n';
}

std::string relative_time(Timestamp time, Timestamp now) {
  const bool is_future = time > now;
  const auto distance = is_future ? time - now : now - time;
  if (distance < std::chrono::seconds(1)) return "now";
  struct Unit {
    Duration length;
    char letter;
  };
  constexpr std::array kUnits = {
      Unit{std::chrono::hours(24), 'd'}, Unit{std::chrono::hours(1), 'h'},
      Unit{std::chrono::minutes(1), 'm'}, Unit{std::chrono::seconds(1), 's'}};
  const auto unit =
      std::ranges::find_if(kUnits, [&](const Unit& u) { return distance >= u.length; });
  const auto text = fmt::format("{}{}", distance / unit->length, unit->letter);
  return is_future ? "in " + text : text + " ago";
}

std::string time_cell(const Terminal& terminal, std::string_view time, Timestamp now) {
  if (!terminal.is_out_tty || time.empty()) return std::string(time);
  const auto parsed = parse_timestamp(time);
  return parsed ? relative_time(*parsed, now) : std::string(time);
}

void print_error(Terminal& terminal, const Error& error, const json::Value* sent) {
  auto& err = terminal.err;
  const auto label = colored("error:", Color::red, terminal.has_err_color);
  // With one field at fault the message only repeats what the field says.
  const bool is_said_by_field =
      error.fields.size() == 1 && error.message.ends_with(error.fields[0].message);
  err << label << ' ' << safe_line(error.message) << '\n';
  for (const auto& field : error.fields) {
    if (!is_said_by_field) {
      const auto name = field.pointer.starts_with('/') ? field.pointer.substr(1) : field.pointer;
      const bool names_itself = name.empty() || field.message.find(name) != std::string::npos;
      err << "  " << (names_itself ? "" : safe_line(name) + ": ") << safe_line(field.message)
          << '\n';
    }
    if (const auto text = text_at(sent, field); !text.empty()) {
      err << caret_lines(text, field.column, field.length);
    }
    if (!field.hint.empty() && field.hint != error.hint) {
      err << "    hint: " << safe_line(field.hint) << '\n';
    }
  }
  if (!error.hint.empty()) err << "hint: " << safe_line(error.hint) << '\n';
}

void print_warning(Terminal& terminal, std::string_view message) {
  terminal.err << colored("warning:", Color::yellow, terminal.has_err_color) << ' '
               << safe_line(message) << '\n';
}

void print_note(Terminal& terminal, std::string_view message) {
  terminal.err << safe_line(message) << '\n';
}

const json::Value* find_pointer(const json::Value& root, std::string_view pointer) {
  const json::Value* value = &root;
  while (!pointer.empty() && value != nullptr) {
    if (pointer.front() != '/') return nullptr;
    const auto end = std::min(pointer.find('/', 1), pointer.size());
    std::string name;
    for (std::size_t i = 1; i < end; ++i) {
      const bool is_escape = pointer[i] == '~' && i + 1 < end;
      name += is_escape ? (pointer[++i] == '1' ? '/' : '~') : pointer[i];
    }
    pointer.remove_prefix(end);
    if (value->is(json::Type::array)) {
      std::size_t index = 0;
      const auto [rest, failure] = std::from_chars(name.data(), name.data() + name.size(), index);
      const bool is_index = failure == std::errc() && rest == name.data() + name.size();
      value = is_index && index < value->elements.size() ? &value->elements[index] : nullptr;
    } else {
      value = value->find(name);
    }
  }
  return value;
}

std::string text_of(const json::Value& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || value->is(json::Type::null)) return {};
  return value->is(json::Type::string) ? value->string : std::string(value->raw);
}

}  // namespace chronos::cli
