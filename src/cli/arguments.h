// What a command declares about its command line. Hides the parser (CLI11) from the commands: they
// name a flag and the variable that takes its value. Values are taken as they are written, without
// any interpretation. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chronos::cli {

// Declared variables must outlive the parse.
class Arguments {
 public:
  struct Impl;
  explicit Arguments(Impl& impl) : impl_(impl) {}

  // `names` is "--name" or "-n, --name"; `value` is shown in the help as what follows it.
  struct Flag {
    std::string_view names;
    std::string_view value;
    std::string_view help;
  };

  void text(const Flag& flag, std::string& out);
  void text(const Flag& flag, std::optional<std::string>& out);
  void list(const Flag& flag, std::vector<std::string>& out);       // may be repeated
  void number(const Flag& flag, std::optional<std::int64_t>& out);  // a whole number
  void toggle(const Flag& flag, bool& out);  // takes no value; `value` unused

  struct Positional {
    std::string_view name;  // "JOB"
    std::string_view help;
  };
  void required(const Positional& positional, std::string& out);
  void optional(const Positional& positional, std::string& out);
  void several(const Positional& positional, std::vector<std::string>& out);  // at least one

  void any_number(const Positional& positional, std::vector<std::string>& out);

  // Everything after "--", as it is. Other commands refuse a "--".
  void rest(const Positional& positional, std::vector<std::string>& out);

  // Flags declared from here on stand under this heading in the help.
  void heading(std::string_view title);

 private:
  Impl& impl_;
};

}  // namespace chronos::cli
