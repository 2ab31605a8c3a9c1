#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_set>
#include <utility>

namespace chronos::json {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kUsualMembers = 6;  // of the whole document, if it is an object

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::size_t count_digits(std::string_view text, std::size_t from) {
  std::size_t at = from;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at - from;
}

// The grammar of RFC 8259 §6: simdjson would refuse numbers that fit no double, and a payload may
// hold any number.
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto whole = count_digits(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const auto fraction = count_digits(text, at + 1);
    if (fraction == 0) return false;
    at += 1 + fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const auto exponent = count_digits(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

// Walks the document once and builds our tree; visiting every value is what validates it.
class Builder {
 public:
  explicit Builder(int depth_max) : depth_max_(depth_max) {}

  bool build(ondemand::value source, int depth, Value& out) {
    std::string_view token;
    ondemand::json_type type{};
    if (failed(source.type().get(type))) return false;
    token = source.raw_json_token();
    switch (type) {
      case ondemand::json_type::object:
        return build_object(source, token.data(), depth, out);
      case ondemand::json_type::array:
        return build_array(source, token.data(), depth, out);
      case ondemand::json_type::string:
        return build_string(source, token, out);
      case ondemand::json_type::number:
        return build_number(source, token, out);
      case ondemand::json_type::boolean:
        out.type = Type::boolean;
        out.raw = trimmed(token);
        return !failed(source.get_bool().get(out.boolean));
      case ondemand::json_type::null:
        out.raw = trimmed(token);
        return out.raw == "null" || refuse("expected null");
    }
    return refuse("expected a value");
  }

  bool failed(simdjson::error_code code) {
    if (code == simdjson::SUCCESS) return false;
    const bool is_ours = code == simdjson::MEMALLOC;
    refuse(simdjson::error_message(code), is_ours ? Reason::overloaded : Reason::bad_json);
    return true;
  }

  bool refuse(std::string message, Reason reason = Reason::bad_json) {
    if (!error_) error_ = Error{reason, std::move(message), {}, {}};
    return false;
  }

  std::optional<Error> take_error() { return std::exchange(error_, std::nullopt); }

 private:
  bool enter(int depth) {
    if (depth < depth_max_) return true;
    return refuse(fmt::format("nested deeper than {} levels", depth_max_), Reason::too_deep);
  }

  template <class Container>
  std::string_view text_since(const char* begin, Container& container) {
    const char* end = nullptr;
    if (container.current_location().get(end) != simdjson::SUCCESS) return {};
    return trimmed({begin, static_cast<std::size_t>(end - begin)});
  }

  bool build_object(ondemand::value& source, const char* begin, int depth, Value& out) {
    if (!enter(depth)) return false;
    out.type = Type::object;
    ondemand::object object;
    if (failed(source.get_object().get(object))) return false;
    if (depth == 0) out.members.reserve(kUsualMembers);
    for (auto item : object) {
      ondemand::field field;
      if (failed(std::move(item).get(field))) return false;
      std::string_view name;
      if (failed(field.unescaped_key().get(name))) return false;
      out.members.push_back({std::string(name), {}});
      // The address is stable while this member is built: only deeper vectors grow.
      if (!build(field.value(), depth + 1, out.members.back().value)) return false;
    }
    out.raw = text_since(begin, source);
    return check_unique(out.members);
  }

  bool build_array(ondemand::value& source, const char* begin, int depth, Value& out) {
    if (!enter(depth)) return false;
    out.type = Type::array;
    ondemand::array array;
    if (failed(source.get_array().get(array))) return false;
    for (auto item : array) {
      ondemand::value element;
      if (failed(std::move(item).get(element))) return false;
      out.elements.emplace_back();
      if (!build(element, depth + 1, out.elements.back())) return false;
    }
    out.raw = text_since(begin, source);
    return true;
  }

  bool build_string(ondemand::value& source, std::string_view token, Value& out) {
    std::string_view text;
    if (failed(source.get_string().get(text))) return false;
    out.type = Type::string;
    out.string = text;
    out.raw = trimmed(token);
    return true;
  }

  bool build_number(ondemand::value&, std::string_view token, Value& out) {
    out.raw = trimmed(token);
    if (!is_number(out.raw)) {
      return refuse(fmt::format("'{}' is not a number", out.raw.substr(0, 32)));
    }
    const char* const end = out.raw.data() + out.raw.size();
    out.type = Type::number;
    const auto whole = std::from_chars(out.raw.data(), end, out.integer);
    if (whole.ec == std::errc() && whole.ptr == end) out.type = Type::integer;
    if (std::from_chars(out.raw.data(), end, out.number).ec != std::errc()) {
      const auto infinite = std::numeric_limits<double>::infinity();
      out.number = out.raw.starts_with('-') ? -infinite : infinite;
    }
    if (out.type != Type::integer) out.integer = 0;
    return true;
  }

  bool check_unique(const std::vector<Member>& members) {
    // Comparing each with each is quicker than a set of a few, but not of a million.
    constexpr std::size_t kFew = 32;
    if (members.size() > kFew) return check_unique_of_many(members);
    for (auto member = members.begin(); member != members.end(); ++member) {
      const auto same = std::ranges::find(members.begin(), member, member->name, &Member::name);
      if (same != member) return refuse_twice(member->name);
    }
    return true;
  }

  bool check_unique_of_many(const std::vector<Member>& members) {
    std::unordered_set<std::string_view> names;
    for (const auto& member : members) {
      if (!names.insert(member.name).second) return refuse_twice(member.name);
    }
    return true;
  }

  bool refuse_twice(std::string_view name) {
    return refuse(fmt::format("the name '{}' stands twice in one object", name.substr(0, 64)));
  }

  int depth_max_;
  std::optional<Error> error_;
};

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return "boolean";
    case Type::integer:
      return "integer";
    case Type::number:
      return "number";
    case Type::string:
      return "string";
    case Type::array:
      return "array";
    case Type::object:
      return "object";
  }
  return "null";
}

const Value* Value::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &found->value;
}

Result<Document> parse(std::string_view text, int depth_max) {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    return fail(Reason::bad_encoding, "the text is not UTF-8");
  }
  // simdjson treats a scalar at the root apart from all others, so the text is read as the one
  // element of an array.
  const std::size_t size = text.size() + 2;
  Document document;
  document.text_ = std::make_unique<char[]>(size + simdjson::SIMDJSON_PADDING);
  document.text_[0] = '[';
  std::memcpy(document.text_.get() + 1, text.data(), text.size());
  document.text_[size - 1] = ']';
  std::memset(document.text_.get() + size, ' ', simdjson::SIMDJSON_PADDING);

  thread_local ondemand::parser parser;
  Builder builder(depth_max);
  const auto refused = [&]() -> std::unexpected<Error> {
    return std::unexpected(builder.take_error().value_or(
        Error{Reason::bad_json, "expected exactly one JSON value", {}, {}}));
  };
  ondemand::document source;
  if (builder.failed(parser.iterate(document.text_.get(), size, size + simdjson::SIMDJSON_PADDING)
                         .get(source))) {
    return refused();
  }
  ondemand::array wrapper;
  if (builder.failed(source.get_array().get(wrapper))) return refused();
  int count = 0;
  for (auto item : wrapper) {
    ondemand::value value;
    if (builder.failed(std::move(item).get(value)) || ++count > 1) return refused();
    if (!builder.build(value, 0, document.root_)) return refused();
  }
  // Past the end of the wrapper nothing may follow.
  const bool is_at_end = source.current_location().error() == simdjson::OUT_OF_BOUNDS;
  if (count != 1 || !is_at_end) return refused();
  return document;
}

std::string pointer_to(std::string_view parent, std::string_view name) {
  std::string pointer(parent);
  pointer += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

namespace {

// Appends the UTF-8 sequence that `text` begins with, or U+FFFD for its first byte if that begins
// none. Returns how many bytes of `text` that was. Not for ASCII.
std::size_t append_sequence(std::string& out, std::string_view text) {
  for (std::size_t length = 2; length <= 4 && length <= text.size(); ++length) {
    if (!simdjson::validate_utf8(text.data(), length)) continue;
    out.append(text, 0, length);
    return length;
  }
  out += "\xEF\xBF\xBD";
  return 1;
}

}  // namespace

std::string as_utf8(std::string text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      out += text[i++];
    } else {
      i += append_sequence(out, std::string_view(text).substr(i));
    }
  }
  return out;
}

namespace {

// Whether all of eight bytes stand in a JSON string as they are: none is a control, a quotation
// mark, a backslash, DEL or not ASCII (H. S. Warren, Hacker's Delight, 6-1: a byte below a limit
// borrows when that is subtracted).
bool are_plain(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const auto below = [](std::uint64_t bytes, std::uint64_t limit) {
    return (bytes - limit * kOnes) & ~bytes;
  };
  const auto special = eight | below(eight, ' ') | below(eight ^ ('"' * kOnes), 1) |
                       below(eight ^ ('\\' * kOnes), 1) | below(eight ^ (0x7f * kOnes), 1);
  return (special & (0x80 * kOnes)) == 0;
}

// The bytes at the front of `text`, with spaces after fewer than eight.
std::uint64_t eight_of(std::string_view text) {
  std::array<char, sizeof(std::uint64_t)> bytes{};
  bytes.fill(' ');
  text.copy(bytes.data(), bytes.size());
  return std::bit_cast<std::uint64_t>(bytes);
}

bool is_plain(std::string_view text) {
  for (; text.size() > sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    if (!are_plain(eight_of(text))) return false;
  }
  return are_plain(eight_of(text));
}

// A text of which not every byte may stand in a JSON string as it is.
void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const bool is_utf8 = simdjson::validate_utf8(text.data(), text.size());
  std::size_t plain_from = 0;
  const auto flush = [&](std::size_t to) { out.append(text, plain_from, to - plain_from); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && (c < 0x80 || is_utf8)) continue;
    flush(i);
    plain_from = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c >= 0x80) {
          i += append_sequence(out, text.substr(i)) - 1;
          plain_from = i + 1;
        } else {
          out += "\\u00";
          out += kHex[c >> 4];
          out += kHex[c & 15];
        }
    }
  }
  flush(text.size());
}

// `before`, the text as a JSON string, `after`.
void append_quoted(std::string& out, std::string_view before, std::string_view text,
                   std::string_view after) {
  if (!is_plain(text)) {
    out.append(before) += '"';
    append_escaped(out, text);
    out += '"';
    out += after;
    return;
  }
  const auto from = out.size();
  const auto to = from + before.size() + text.size() + after.size() + 2;
  out.resize_and_overwrite(to, [&](char* data, std::size_t) {
    auto* at = data + from;
    for (const char c : before) *at++ = c;
    *at++ = '"';
    at += text.copy(at, text.size());
    *at++ = '"';
    for (const char c : after) *at++ = c;
    return to;
  });
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  append_quoted(out, "", text, "");
}

// What stands before the next value.
std::string_view Writer::separator() {
  return std::exchange(needs_comma_, true) ? "," : "";
}

Writer& Writer::begin_object() {
  out_ += separator();
  out_ += '{';
  needs_comma_ = false;
  return *this;
}

Writer& Writer::end_object() {
  out_ += '}';
  needs_comma_ = true;
  return *this;
}

Writer& Writer::begin_array() {
  out_ += separator();
  out_ += '[';
  needs_comma_ = false;
  return *this;
}

Writer& Writer::end_array() {
  out_ += ']';
  needs_comma_ = true;
  return *this;
}

Writer& Writer::key(const Name& name) {
  const std::size_t begin = needs_comma_ ? 0 : 1;
  out_.append(name.member_.data() + begin, name.size_ - begin);
  needs_comma_ = false;
  return *this;
}

Writer& Writer::quoted_key(std::string_view name) {
  append_quoted(out_, separator(), name, ":");
  needs_comma_ = false;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  append_quoted(out_, separator(), text, "");
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  out_ += separator();
  const fmt::format_int digits(value);
  out_.append(digits.data(), digits.size());
  return *this;
}

Writer& Writer::number(double value) {
  out_ += separator();
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(out_), "{}", value);
  } else {
    out_ += "null";
  }
  return *this;
}

Writer& Writer::boolean(bool value) {
  out_ += separator();
  out_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::null() {
  out_ += separator();
  out_ += "null";
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  out_ += separator();
  out_ += json;
  return *this;
}

}  // namespace chronos::json
