// A file that was built into the program (cmake/EmbedFiles.cmake makes them). Immutable.
#pragma once

#include <string_view>

namespace chronos {

struct EmbeddedFile {
  std::string_view name;  // its path as listed in CMakeLists.txt
  std::string_view content;
};

}  // namespace chronos
