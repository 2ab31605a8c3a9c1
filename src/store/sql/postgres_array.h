// Whole columns as one parameter: arrays as PostgreSQL takes them, to be unnested by a statement.
// Used by the statements of postgres_batch.cc; plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "store/sql/connection.h"

namespace chronos::store::sql {

// `text` as PostgreSQL takes it, valid UTF-8 without NUL: itself, or what `mended` then holds.
std::string_view as_postgres_text(std::string_view text, std::string& mended);

class Array {
 public:
  // As pg_type numbers them. integer: numbers, instants, booleans; text: enums too, by their names.
  enum class Of : std::uint32_t { bytes = 17, integer = 20, text = 25, uuid = 2950 };

  explicit Array(Of type) : type_(type) {}

  template <class T>
  void add(const T& value) {
    if constexpr (IsOptional<T>::value) {
      value ? add(*value) : add_null();
    } else if constexpr (IsId<T>::value) {
      add_uuid(value.uuid);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      add_integer(to_micros(value));
    } else if constexpr (std::is_same_v<T, Duration>) {
      add_integer(value.count());
    } else if constexpr (std::is_same_v<T, Bytes>) {
      add_bytes(value.value, Of::bytes);
    } else if constexpr (std::is_enum_v<T>) {
      add_text(to_string(value));
    } else if constexpr (std::integral<T>) {
      add_integer(static_cast<std::int64_t>(value));
    } else {
      add_text(value);
    }
  }
  void add_null();

  // To be bound; lives as long as the array does not change.
  Bytes parameter();

 private:
  void add_integer(std::int64_t value);
  void add_uuid(Uuid uuid);
  void add_text(std::string_view text);
  void add_bytes(std::string_view bytes, Of type);

  Of type_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  std::string elements_;
  std::string whole_;
};

}  // namespace chronos::store::sql
