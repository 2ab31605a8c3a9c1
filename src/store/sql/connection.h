// The seam between the SQL store and a database: connect, prepare, bind, step, transact. Private to
// store/sql/. A Connection and its statements belong to one thread at a time; a Database is
// thread-safe.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

namespace chronos::store::sql {

// One statement of this program. Its address is its identity (connections cache prepared
// statements by it), so each is a constant of its own. Parameters are $1, $2, ….
struct Sql {
  const char* text;
  std::source_location where = std::source_location::current();  // it is defined
};

// A prepared statement. Parameters count from 1, columns from 0. What is bound must live until
// reset().
class Statement {
 public:
  virtual ~Statement() = default;
  virtual void bind_null(int parameter) = 0;
  virtual void bind_integer(int parameter, std::int64_t value) = 0;
  virtual void bind_text(int parameter, std::string_view text) = 0;
  virtual void bind_bytes(int parameter, std::string_view bytes) = 0;
  virtual void bind_uuid(int parameter, Uuid uuid) = 0;
  virtual Result<bool> step() = 0;  // true: there is a row to read
  // Instead of step(): only success matters, and a failure may come to light later.
  virtual Result<void> post() {
    while (true) {
      CHRONOS_TRY(const bool has_row, step());
      if (!has_row) return {};
    }
  }
  virtual void reset() = 0;

  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string_view text(int column) const = 0;   // until the next step() or reset()
  virtual std::string_view bytes(int column) const = 0;  // likewise
  virtual Uuid uuid(int column) const = 0;
};

// Binds as bytes what would else be text.
struct Bytes {
  std::string_view value;
};

// One row's columns, read from left to right. What cannot be read leaves an error behind.
class Columns {
 public:
  explicit Columns(const Statement& statement) : statement_(statement) {}

  template <class T>
  T get();
  // An enum by its name: `columns.get(parse_run_state)`.
  template <class Enum>
  Enum get(std::optional<Enum> (*parse)(std::string_view)) {
    const auto value = parse(get<std::string_view>());
    if (!value) fail("an unknown name");
    return value.value_or(Enum{});
  }
  template <class Enum>
  std::optional<Enum> get_optional(std::optional<Enum> (*parse)(std::string_view)) {
    if (is_null()) return skip<Enum>();
    return get(parse);
  }
  std::string_view get_bytes() { return statement_.bytes(next_++); }
  void pass_over(int count) { next_ += count; }

  void fail(std::string_view problem) {
    if (!error_) {
      error_ =
          Error{Reason::internal, "a stored row cannot be read: " + std::string(problem), {}, {}};
    }
  }
  std::optional<Error>& error() { return error_; }

 private:
  bool is_null() const { return statement_.is_null(next_); }
  template <class T>
  std::optional<T> skip() {
    ++next_;
    return std::nullopt;
  }

  const Statement& statement_;
  int next_ = 0;
  std::optional<Error> error_;
};

// -- What can be bound and read ------------------------------------------------------------------

template <class T>
struct IsId : std::false_type {};
template <class Tag>
struct IsId<Id<Tag>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

// A statement's parameters, bound from $1 on. A type of several columns has a function
// `put_columns(Parameters&, const T&)`.
class Parameters {
 public:
  explicit Parameters(Statement& statement) : statement_(statement) {}

  template <class T>
  Parameters& put(const T& value) {
    if constexpr (requires { put_columns(*this, value); }) {
      put_columns(*this, value);
    } else if constexpr (IsOptional<T>::value) {
      value ? put(*value) : put_null();
    } else {
      put_one(++last_, value);
    }
    return *this;
  }
  Parameters& put_null(int count = 1) {
    for (int i = 0; i < count; ++i) statement_.bind_null(++last_);
    return *this;
  }

 private:
  template <class T>
  void put_one(int parameter, const T& value) {
    if constexpr (IsId<T>::value) {
      statement_.bind_uuid(parameter, value.uuid);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      statement_.bind_integer(parameter, to_micros(value));
    } else if constexpr (std::is_same_v<T, Duration>) {
      statement_.bind_integer(parameter, value.count());
    } else if constexpr (std::is_same_v<T, Bytes>) {
      statement_.bind_bytes(parameter, value.value);
    } else if constexpr (std::is_enum_v<T>) {
      statement_.bind_text(parameter, to_string(value));
    } else if constexpr (std::integral<T>) {
      statement_.bind_integer(parameter, static_cast<std::int64_t>(value));
    } else {
      statement_.bind_text(parameter, value);
    }
  }

  Statement& statement_;
  int last_ = 0;
};

template <class T>
T Columns::get() {
  if constexpr (IsOptional<T>::value) {
    using Value = typename T::value_type;
    if (is_null()) return skip<Value>();
    return get<Value>();
  } else if constexpr (IsId<T>::value) {
    return T{statement_.uuid(next_++)};
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    return from_micros(statement_.integer(next_++));
  } else if constexpr (std::is_same_v<T, Duration>) {
    return Duration(statement_.integer(next_++));
  } else if constexpr (std::is_same_v<T, bool>) {
    return statement_.integer(next_++) != 0;
  } else if constexpr (std::integral<T>) {
    return static_cast<T>(statement_.integer(next_++));
  } else {
    return T(statement_.text(next_++));
  }
}

// -- Connections ---------------------------------------------------------------------------------

// What is durable when a commit has succeeded.
enum class Durable {
  written,  // by the transaction, if it has written anything
  seen,     // by it too: what others had committed before
};

class Connection {
 public:
  virtual ~Connection() = default;

  // Prepared once per connection; the connection owns it.
  virtual Result<Statement*> prepare(const Sql& sql) = 0;
  // An INSERT with VALUES of one row, for so many: the parameters of each follow those of the row
  // before.
  virtual Result<Statement*> prepare_rows(const Sql& sql, std::size_t rows) {
    static_cast<void>(rows);
    return prepare(sql);
  }
  virtual std::size_t rows_max() const { return 1; }               // of prepare_rows()
  virtual Result<void> run_script(const std::string& script) = 0;  // several statements
  virtual std::int64_t rows_changed() const = 0;                   // by the last statement

  // A snapshot to read, or the right to write. Fails with store_unavailable when another process
  // keeps the right for longer than the busy timeout.
  virtual Result<void> begin() = 0;
  // Fails as Transactor::commit() does.
  virtual Result<void> commit(Durable what) = 0;
  // False when the connection's state is no longer known.
  virtual bool rollback() = 0;
  // Each statement that is waited for is a round trip: many rows go in one, as arrays
  // (postgres_array.h), and long answers are asked for in pieces.
  virtual bool is_remote() const { return false; }
  // How large the database is.
  virtual Result<std::int64_t> bytes() { return 0; }
  // The server is gone; begin() looks for it again.
  virtual bool is_lost() const { return false; }

  // Runs a statement that answers no rows and of which only success matters. A database that is
  // far away need not have done it yet: what is read later sees it, and a failure is told by the
  // next statement that is waited for, at the latest by commit().
  template <class... Args>
  Result<void> post(const Sql& sql, const Args&... args) {
    CHRONOS_TRY(auto* statement, prepare(sql));
    const Execution execution(*statement);
    Parameters parameters(*statement);
    (parameters.put(args), ...);
    return statement->post();
  }

  // Runs a statement that answers no rows; how many rows it changed.
  template <class... Args>
  Result<std::int64_t> run(const Sql& sql, const Args&... args) {
    CHRONOS_TRY_VOID(for_each(sql, [](Columns&) { return true; }, args...));
    return rows_changed();
  }

  // Inserts rows with a statement for one; how many it made.
  template <class Row>
  Result<std::int64_t> run_rows(const Sql& sql, std::span<const Row> rows) {
    std::int64_t made = 0;
    while (!rows.empty()) {
      const auto count = std::bit_floor(std::min(rows.size(), rows_max()));
      CHRONOS_TRY(auto* statement, prepare_rows(sql, count));
      const Execution execution(*statement);
      Parameters parameters(*statement);
      for (const auto& row : rows.first(count)) parameters.put(row);
      CHRONOS_TRY_VOID(statement->step());
      made += rows_changed();
      rows = rows.subspan(count);
    }
    return made;
  }

  // Calls `read(Columns&)` for each row until it answers false.
  template <class Read, class... Args>
  Result<void> for_each(const Sql& sql, Read read, const Args&... args) {
    CHRONOS_TRY(auto* statement, prepare(sql));
    const Execution execution(*statement);
    Parameters parameters(*statement);
    (parameters.put(args), ...);
    while (true) {
      CHRONOS_TRY(const bool has_row, statement->step());
      if (!has_row) return {};
      Columns columns(*statement);
      const bool goes_on = read(columns);
      if (columns.error()) return std::unexpected(std::move(*columns.error()));
      if (!goes_on) return {};
    }
  }

  // The first row as `read` has it, or nothing.
  template <class Read, class... Args>
  auto one(const Sql& sql, Read read, const Args&... args)
      -> Result<std::optional<std::invoke_result_t<Read, Columns&>>> {
    std::optional<std::invoke_result_t<Read, Columns&>> row;
    CHRONOS_TRY_VOID(for_each(
        sql, [&](Columns& columns) { return row.emplace(read(columns)), false; }, args...));
    return row;
  }

  template <class Read, class... Args>
  auto all(const Sql& sql, Read read, const Args&... args)
      -> Result<std::vector<std::invoke_result_t<Read, Columns&>>> {
    std::vector<std::invoke_result_t<Read, Columns&>> rows;
    CHRONOS_TRY_VOID(for_each(
        sql, [&](Columns& columns) { return rows.push_back(read(columns)), true; }, args...));
    return rows;
  }

 private:
  // Ends the use of a statement on every way out.
  class Execution {
   public:
    explicit Execution(Statement& statement) : statement_(statement) {}
    ~Execution() { statement_.reset(); }
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;

   private:
    Statement& statement_;
  };
};

// Reads one column as T: `db.one(kSql, column<std::int64_t>, …)`.
template <class T>
T column(Columns& columns) {
  return columns.get<T>();
}

}  // namespace chronos::store::sql
