// The nearest known name to a misspelt one, for "did you mean". Pure.
#pragma once

#include <span>
#include <string_view>

namespace chronos {

// The candidate with the smallest edit distance (optimal string alignment: insertions, deletions,
// substitutions, swaps of neighbours; letters of either case are the same) when that is at most a
// third of the name's length and at least 1 is allowed; otherwise "".
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace chronos
