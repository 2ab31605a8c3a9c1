#include "store/sql/postgres_array.h"

#include <algorithm>

#include "base/check.h"
#include "base/json.h"

namespace chronos::store::sql {
namespace {

template <class Unsigned>
void append_big_endian(std::string& into, Unsigned value) {
  for (int shift = 8 * static_cast<int>(sizeof(Unsigned)) - 8; shift >= 0; shift -= 8) {
    into += static_cast<char>(value >> shift & 0xff);
  }
}

}  // namespace

std::string_view as_postgres_text(std::string_view text, std::string& mended) {
  const bool is_plain = std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) >= 0x80 || c == '\0'; });
  if (is_plain) return text;
  mended.clear();
  for (const char c : text) {
    if (c == '\0') {
      mended += "\xEF\xBF\xBD";
    } else {
      mended += c;
    }
  }
  mended = json::as_utf8(std::move(mended));
  return mended;
}

void Array::add_null() {
  ++count_;
  has_null_ = true;
  append_big_endian(elements_, ~std::uint32_t{0});
}

void Array::add_integer(std::int64_t value) {
  std::string bytes;
  append_big_endian(bytes, static_cast<std::uint64_t>(value));
  add_bytes(bytes, Of::integer);
}

void Array::add_uuid(Uuid uuid) {
  const auto bytes = uuid.bytes();
  add_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, Of::uuid);
}

void Array::add_text(std::string_view text) {
  std::string mended;
  add_bytes(as_postgres_text(text, mended), Of::text);
}

void Array::add_bytes(std::string_view bytes, Of type) {
  CHRONOS_CHECK(type_ == type);
  ++count_;
  append_big_endian(elements_, static_cast<std::uint32_t>(bytes.size()));
  elements_ += bytes;
}

// Dimensions, whether there are NULLs, the type; of the one dimension the length and where it
// starts; then each element with its length.
Bytes Array::parameter() {
  whole_.clear();
  append_big_endian(whole_, std::uint32_t{1});
  append_big_endian(whole_, std::uint32_t{has_null_ ? 1U : 0U});
  append_big_endian(whole_, static_cast<std::uint32_t>(type_));
  append_big_endian(whole_, count_);
  append_big_endian(whole_, std::uint32_t{1});
  whole_ += elements_;
  return Bytes{whole_};
}

}  // namespace chronos::store::sql
