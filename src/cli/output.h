// How results and errors reach people and scripts: data on stdout, messages on stderr; aligned
// tables on a terminal, tab-separated lines when piped, the API's JSON on request. Called by every
// command; one thread. Whatever comes from outside is made safe here.
#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace chronos::cli {

// The exit codes scripts rely on (docs/cli.md). `run --wait` answers with the run's own code.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kDenied = 4,
  kConflict = 5,
  kUnavailable = 6,
  kTimeout = 124,
};

// THE mapping of errors to exit codes.
int exit_code_of(ErrorCode code);

struct Terminal {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool is_out_tty = false;
  bool has_out_color = false;
  bool has_err_color = false;
  std::size_t columns = 0;  // of stdout; 0 = do not fit anything to a width
};

// NO_COLOR (no-color.org), TERM=dumb and --no-color turn colours off, CLICOLOR_FORCE turns them on
// even when piped.
bool wants_color(bool is_tty, const app::Environment& environment, bool is_refused);

enum class Color { none, red, green, yellow, blue, dim };

// Of a job's status or a run's state.
Color color_of_state(std::string_view state);

std::string colored(std::string_view text, Color color, bool has_color);

struct Cell {
  std::string text;
  Color color = Color::none;

  // Implicit: most cells are plain text.
  Cell(std::string plain) : text(std::move(plain)) {}
  Cell(std::string plain, Color with) : text(std::move(plain)), color(with) {}
};

// Rows of one kind. On a terminal: headers, aligned columns, cut to its width, the first column
// (the id) never. Piped: no headers, tabs between, nothing cut.
class Table {
 public:
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}

  void add(std::vector<Cell> row);  // as many cells as headers
  bool empty() const { return rows_.empty(); }
  void print(Terminal& terminal) const;

 private:
  std::vector<std::size_t> widths_for(std::size_t columns) const;

  std::vector<std::string> headers_;
  std::vector<std::vector<Cell>> rows_;
};

// One thing: a name and a value per line, aligned on a terminal. Empty values are left out.
class Record {
 public:
  void add(std::string name, Cell value);
  void print(Terminal& terminal) const;

 private:
  std::vector<std::pair<std::string, Cell>> lines_;
};

// The API's JSON: as it is when piped, indented on a terminal.
void print_json(Terminal& terminal, std::string_view json);

// "in 5m", "2h ago", "now": the largest unit only.
std::string relative_time(Timestamp time, Timestamp now);

// A time as the API wrote it, for a cell: "in 5m" on a terminal, as it is when piped.
std::string time_cell(const Terminal& terminal, std::string_view time, Timestamp now);

// Message, what is wrong with which field, a caret under the place, and the hint; on stderr. `sent`
// is the document that was refused, from which the text above the caret is taken; may be null.
void print_error(Terminal& terminal, const Error& error, const json::Value* sent = nullptr);

void print_warning(Terminal& terminal, std::string_view message);
void print_note(Terminal& terminal, std::string_view message);

// The value an RFC 6901 pointer names; null if there is none.
const json::Value* find_pointer(const json::Value& root, std::string_view pointer);

// Members of an API answer. Absent and null are "".
std::string text_of(const json::Value& object, std::string_view name);

}  // namespace chronos::cli
