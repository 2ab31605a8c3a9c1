// Silence: what a field table writes of a value that says nothing. Most of most values is written
// from there, as one text. Immutable; made once and shared.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/json.h"

namespace chronos::fields {

template <class T>
class Silence {
 public:
  explicit Silence(std::span<const Field<T>> table) : table_(table) {
    json::Writer writer(text_);
    for (const auto& field : table_) {
      begins_.push_back(text_.size());
      if (field.write == nullptr) continue;
      writer.key(field.name);
      field.write(writer, nothing_);
    }
    begins_.push_back(text_.size());
  }

  bool breaks(const Field<T>& field, const T& object) const {
    return field.equal == nullptr || !field.equal(object, nothing_);
  }

  // As write_members() does.
  void write_members(json::Writer& writer, const T& object) const {
    std::size_t unwritten = 0;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (table_[i].write == nullptr || !breaks(table_[i], object)) continue;
      write_silent(writer, std::exchange(unwritten, i + 1), i);
      writer.key(table_[i].name);
      table_[i].write(writer, object);
    }
    write_silent(writer, unwritten, table_.size());
  }

 private:
  void write_silent(json::Writer& writer, std::size_t from, std::size_t to) const {
    auto members = std::string_view(text_).substr(begins_[from], begins_[to] - begins_[from]);
    if (members.starts_with(',')) members.remove_prefix(1);
    if (!members.empty()) writer.raw(members);
  }

  std::span<const Field<T>> table_;
  T nothing_;
  std::string text_;                 // member,member…
  std::vector<std::size_t> begins_;  // of each row's member in it, its comma included; and the end
};

}  // namespace chronos::fields
