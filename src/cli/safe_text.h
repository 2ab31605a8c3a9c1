// Text of strangers made safe for a terminal: a job's name or output must not move the cursor, set
// the title, hide or reorder what stands on the screen. Called by everything that prints. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chronos::cli {

// One line: control characters (C0, DEL, C1), line and paragraph separators, characters that change
// the direction of writing and bytes that are not UTF-8 become visible escapes ("\x1b", "\u202e",
// "\xff"). A backslash stays as it is: what is shown is for people, not to be parsed.
std::string safe_line(std::string_view text);

// Several lines: newlines and tabs stay, "\r\n" and a lone "\r" become newlines. Colours (SGR
// sequences, "\x1b[1;31m") stay when `keeps_colors`, and are dropped otherwise.
std::string safe_block(std::string_view text, bool keeps_colors);

// JSON stays the same value: inside strings the dangerous characters become \u escapes.
std::string safe_json(std::string_view json);

// Code points, which is the width on a terminal for most scripts. `text` is safe.
std::size_t width_of(std::string_view text);

// At most `width` code points, the last of them "…" if something was cut.
std::string cut_to_width(std::string_view text, std::size_t width);

}  // namespace chronos::cli
