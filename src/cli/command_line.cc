#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <utility>

#include "base/nearest.h"
#include "cli/output.h"
#include "cli/safe_text.h"
#include "cli/version.h"

namespace chronos::cli {

// Options are declared without variables and read from their raw results: CLI11's own conversions
// give brackets and empty strings a meaning, and a payload may be "[]".
struct Arguments::Impl {
  struct HelpLine {
    std::string heading;
    std::string names;  // "-f, --file PATH"
    std::string help;
  };

  CLI::App& app;
  std::string heading = "Flags";
  std::vector<HelpLine> help_lines;
  std::string usage;  // "JOB [-- ARGV…]"
  std::vector<std::string>* rest = nullptr;
  std::vector<std::function<std::string()>> readers;  // after the parse; answers what is wrong

  CLI::Option& add(const Flag& flag) {
    const std::string help(flag.help);
    auto* option = app.add_option(std::string(flag.names), help);
    option->expected(1);
    help_lines.push_back({heading, fmt::format("{} {}", flag.names, flag.value), help});
    return *option;
  }
  CLI::Option& add(const Positional& positional, std::string_view in_usage) {
    const std::string help(positional.help);
    usage += fmt::format(fmt::runtime(in_usage), positional.name);
    help_lines.push_back({"Arguments", std::string(positional.name), help});
    return *app.add_option(std::string(positional.name), help);
  }
  template <class Out>
  void read_last(CLI::Option& option, Out& out) {
    option.multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    readers.emplace_back([&option, &out] {
      if (option.count() > 0) out = option.results().back();
      return std::string();
    });
  }
  void read_all(CLI::Option& option, std::vector<std::string>& out) {
    option.multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    readers.emplace_back([&option, &out] {
      if (option.count() > 0) out = option.results();
      return std::string();
    });
  }
};

void Arguments::text(const Flag& flag, std::string& out) {
  impl_.read_last(impl_.add(flag), out);
}

void Arguments::text(const Flag& flag, std::optional<std::string>& out) {
  impl_.read_last(impl_.add(flag), out);
}

void Arguments::list(const Flag& flag, std::vector<std::string>& out) {
  auto& option = impl_.add(flag);
  option.allow_extra_args(false);
  impl_.read_all(option, out);
}

void Arguments::number(const Flag& flag, std::optional<std::int64_t>& out) {
  auto& option = impl_.add(flag);
  option.multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  impl_.readers.emplace_back([&option, &out]() -> std::string {
    if (option.count() == 0) return {};
    const auto text = option.results().back();
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) {
      return fmt::format("{}: '{}' is not a whole number", option.get_name(), text);
    }
    out = value;
    return {};
  });
}

void Arguments::toggle(const Flag& flag, bool& out) {
  const std::string help(flag.help);
  auto* option = impl_.app.add_flag(std::string(flag.names), help);
  impl_.help_lines.push_back({impl_.heading, std::string(flag.names), help});
  impl_.readers.emplace_back([option, &out] {
    if (option->count() > 0) out = true;
    return std::string();
  });
}

void Arguments::required(const Positional& positional, std::string& out) {
  impl_.read_last(*impl_.add(positional, " {}").expected(1)->required(), out);
}

void Arguments::optional(const Positional& positional, std::string& out) {
  impl_.read_last(*impl_.add(positional, " [{}]").expected(1), out);
}

void Arguments::several(const Positional& positional, std::vector<std::string>& out) {
  auto& option = impl_.add(positional, " {}…");
  option.required()->expected(1, 1000)->allow_extra_args(true);
  impl_.read_all(option, out);
}

void Arguments::any_number(const Positional& positional, std::vector<std::string>& out) {
  auto& option = impl_.add(positional, " [{}…]");
  option.expected(0, 1000)->allow_extra_args(true);
  impl_.read_all(option, out);
}

void Arguments::rest(const Positional& positional, std::vector<std::string>& out) {
  impl_.rest = &out;
  impl_.usage += fmt::format(" [-- {}]", positional.name);
  impl_.help_lines.push_back(
      {impl_.heading, fmt::format("-- {}", positional.name), std::string(positional.help)});
}

void Arguments::heading(std::string_view title) {
  impl_.heading = title;
}

namespace {

constexpr std::string_view kDescription =
    "Chronos runs jobs on time, once or again and again, and tells you when one fails.";

void declare_global_flags(Arguments& arguments, GlobalFlags& flags) {
  arguments.heading("Flags of every command");
  arguments.text({"--server", "URL", "the server (CHRONOS_URL; default http://127.0.0.1:8086)"},
                 flags.server);
  arguments.text({"--key", "KEY", "API key (better: CHRONOS_API_KEY, which others cannot see)"},
                 flags.key);
  arguments.text({"--key-file", "PATH", "file with the API key (CHRONOS_KEY_FILE)"},
                 flags.key_file);
  arguments.text({"--ca-file", "PATH", "certificates to trust, PEM (CHRONOS_CA_FILE)"},
                 flags.ca_file);
  arguments.text({"--data-dir", "PATH", "data directory (CHRONOS_DATA_DIR; ./chronos-data)"},
                 flags.data_dir);
  arguments.toggle({"--json", "", "print the API's JSON"}, flags.json);
  arguments.toggle({"-q, --quiet", "", "print ids only"}, flags.quiet);
  arguments.toggle({"--no-color", "", "no colours (NO_COLOR)"}, flags.no_color);
}

struct Declared {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  std::unique_ptr<Arguments::Impl> impl;
  Action action;
};

// Lines under their headings, in the order in which headings first come; the help aligned.
void append_lines(std::string& text, const std::vector<Arguments::Impl::HelpLine>& lines) {
  std::size_t width = 0;
  std::vector<std::string_view> headings;
  for (const auto& line : lines) {
    width = std::max(width, width_of(line.names));
    if (std::ranges::find(headings, line.heading) == headings.end()) {
      headings.push_back(line.heading);
    }
  }
  for (const auto heading : headings) {
    text += fmt::format("\n{}:\n", heading);
    for (const auto& line : lines) {
      if (line.heading != heading) continue;
      const std::string gap(width + 2 - width_of(line.names), ' ');
      text += fmt::format("  {}{}{}\n", line.names, gap, line.help);
    }
  }
}

// The whole tree of commands as CLI11 has it.
class Tree {
 public:
  explicit Tree(std::span<const Command> commands) : app_(std::string(kDescription), "chronos") {
    app_.set_version_flag("--version", "chronos " CHRONOS_VERSION);
    app_.fallthrough();
    globals_ = std::make_unique<Arguments::Impl>(Arguments::Impl{app_});
    Arguments arguments(*globals_);
    declare_global_flags(arguments, flags_);
    for (const auto& command : commands) add(command);
  }

  // Throws CLI::Error.
  void parse(std::vector<std::string> words) {
    std::ranges::reverse(words);  // CLI11 takes them from the back
    app_.parse(std::move(words));
  }

  Declared* chosen() {
    for (auto& declared : declared_) {
      if (declared.app->parsed()) return &declared;
    }
    return nullptr;
  }

  // The innermost app that was named, for its help.
  CLI::App& named() {
    CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
  }

  std::string read(Declared& declared) {
    for (auto* impl : {globals_.get(), declared.impl.get()}) {
      for (auto& reader : impl->readers) {
        if (auto problem = reader(); !problem.empty()) return problem;
      }
    }
    return {};
  }

  // The command nearest to what was written instead of one, in the group that was named.
  std::string nearest_command(const std::string& word) {
    std::vector<std::string> names;
    for (const auto* app : named().get_subcommands({})) names.push_back(app->get_name());
    return nearest(word, names);
  }

  std::string nearest_flag(const std::string& word) {
    std::vector<std::string> names;
    auto apps = std::vector<CLI::App*>{&app_};
    if (auto* declared = chosen()) apps.push_back(declared->app);
    for (const auto* app : apps) {
      for (const auto* option : app->get_options()) {
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
      }
    }
    return nearest(word, names);
  }

  // Of the command that was named; else of the group, else of all.
  std::string help() {
    if (auto* declared = chosen()) return help_of(*declared);
    std::string text =
        fmt::format("{}\n\nUsage: {} COMMAND [FLAGS]\n", kDescription, named_words());
    std::vector<Arguments::Impl::HelpLine> lines;
    for (const auto& declared : declared_) {
      if (&named() != &app_ && declared.app->get_parent() != &named()) continue;
      lines.push_back({"Commands", std::string(declared.command->name),
                       std::string(declared.command->summary)});
    }
    append_lines(text, lines);
    append_lines(text, globals_->help_lines);
    return text + "\n`chronos COMMAND --help` says more about a command.\n";
  }

  // "chronos keys list", as far as it was named.
  std::string named_words() {
    std::string words = "chronos";
    for (CLI::App* app = &app_; !app->get_subcommands().empty();) {
      app = app->get_subcommands().front();
      words += " " + app->get_name();
    }
    return words;
  }

  CLI::App& app() { return app_; }
  GlobalFlags& flags() { return flags_; }

 private:
  static std::string nearest(const std::string& word, const std::vector<std::string>& names) {
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    return std::string(nearest_name(word, candidates));
  }

  std::string help_of(const Declared& declared) {
    auto text =
        fmt::format("chronos {}: {}\n\nUsage: chronos {}{} [FLAGS]\n", declared.command->name,
                    declared.command->summary, declared.command->name, declared.impl->usage);
    append_lines(text, declared.impl->help_lines);
    append_lines(text, globals_->help_lines);
    return text;
  }

  CLI::App& group(const std::string& name) {
    auto& app = groups_[name];
    if (app == nullptr) {
      app = app_.add_subcommand(name);
    }
    return *app;
  }

  void add(const Command& command) {
    const std::string name(command.name);
    const auto space = name.find(' ');
    auto& parent = space == std::string::npos ? app_ : group(name.substr(0, space));
    auto* app = parent.add_subcommand(name.substr(space + 1));
    auto impl = std::make_unique<Arguments::Impl>(Arguments::Impl{*app});
    Arguments arguments(*impl);
    auto action = command.declare(arguments);
    declared_.push_back({&command, app, std::move(impl), std::move(action)});
  }

  CLI::App app_;
  GlobalFlags flags_;
  std::unique_ptr<Arguments::Impl> globals_;
  std::map<std::string, CLI::App*> groups_;
  std::vector<Declared> declared_;
};

Parsed usage_error(const std::string& message, const std::string& hint = {}) {
  Parsed parsed;
  parsed.exit_code = kUsage;
  parsed.err = "error: " + safe_line(message) + '\n';
  if (!hint.empty()) parsed.err += "hint: " + safe_line(hint) + '\n';
  return parsed;
}

Parsed printed(std::string text) {
  Parsed parsed;
  parsed.out = std::move(text);
  return parsed;
}

std::string help_hint(Tree& tree) {
  return fmt::format("`{} --help` shows what is possible", tree.named_words());
}

// Words that nothing took: a misspelt flag or command, or one word too many.
Parsed unexpected_words(Tree& tree, const std::vector<std::string>& words) {
  const auto hint_for = [&](const std::string& nearest) {
    return nearest.empty() ? help_hint(tree) : fmt::format("did you mean {}?", nearest);
  };
  const auto is_flag = [](const std::string& word) { return word.starts_with('-'); };
  auto wrong = std::ranges::find_if(words, is_flag);
  if (tree.chosen() == nullptr) wrong = std::ranges::find_if_not(words, is_flag);
  if (wrong == words.end()) wrong = words.begin();
  if (is_flag(*wrong)) {
    const auto flag = wrong->substr(0, wrong->find('='));
    return usage_error(fmt::format("there is no flag '{}'", flag),
                       hint_for(tree.nearest_flag(flag)));
  }
  if (tree.chosen() != nullptr) {
    return usage_error(fmt::format("'{}' was not expected", *wrong), help_hint(tree));
  }
  return usage_error(fmt::format("there is no command '{}'", *wrong),
                     hint_for(tree.nearest_command(*wrong)));
}

Parsed finish(Tree& tree, const std::vector<std::string>* rest) {
  auto* declared = tree.chosen();
  if (declared == nullptr) {
    auto parsed = printed(tree.help());
    std::swap(parsed.out, parsed.err);  // nothing was asked for: not a result
    parsed.exit_code = kUsage;
    return parsed;
  }
  if (rest != nullptr && declared->impl->rest == nullptr) {
    return usage_error("this command takes nothing after --", help_hint(tree));
  }
  if (const auto problem = tree.read(*declared); !problem.empty()) {
    return usage_error(problem, help_hint(tree));
  }
  if (rest != nullptr) *declared->impl->rest = *rest;
  Parsed parsed;
  parsed.action = std::move(declared->action);
  parsed.flags = tree.flags();
  return parsed;
}

}  // namespace

Parsed parse_command_line(std::span<const Command> commands,
                          const std::vector<std::string>& words) {
  Tree tree(commands);
  const auto separator = std::ranges::find(words, "--");
  std::vector<std::string> own(words.begin(), separator);
  std::vector<std::string> rest;
  if (separator != words.end()) rest.assign(separator + 1, words.end());
  if (!own.empty() && own.front() == "help") {
    own.erase(own.begin());
    own.emplace_back("--help");
  }
  try {
    tree.parse(std::move(own));
    return finish(tree, separator == words.end() ? nullptr : &rest);
  } catch (const CLI::CallForHelp&) {
    return printed(tree.help());
  } catch (const CLI::CallForVersion&) {
    return printed("chronos " CHRONOS_VERSION "\n");
  } catch (const CLI::ExtrasError&) {
    return unexpected_words(tree, tree.app().remaining(true));
  } catch (const CLI::Error& error) {
    return usage_error(error.what(), help_hint(tree));
  }
}

}  // namespace chronos::cli
