# Builds files into a module: chronos_embed_files(<target> <namespace> <function> FILES a b …) defines
#   std::span<const chronos::EmbeddedFile> <namespace>::<function>();
# with the files in the order given, below DIRECTORY when that is given too. The caller declares that
# function where it wants it. Run as a script (cmake -P) the same file writes the source; without FILES, of
# all that is in DIRECTORY.
set(CHRONOS_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(chronos_embed_files target namespace function)
  cmake_parse_arguments(ARG "" "DIRECTORY" "FILES" ${ARGN})
  if(NOT ARG_DIRECTORY)
    set(ARG_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  list(TRANSFORM ARG_FILES PREPEND ${ARG_DIRECTORY}/ OUTPUT_VARIABLE paths)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${function}.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DNAMESPACE=${namespace} -DFUNCTION=${function} -DOUTPUT=${output}
            -DDIRECTORY=${ARG_DIRECTORY} "-DFILES=${ARG_FILES}" -P ${CHRONOS_EMBED_SCRIPT}
    DEPENDS ${paths} ${CHRONOS_EMBED_SCRIPT}
    VERBATIM)
  set_source_files_properties(${output} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # each has the same names
  target_sources(${target} PRIVATE ${output})
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  return()
endif()

if(NOT DEFINED FILES)
  file(GLOB_RECURSE FILES RELATIVE ${DIRECTORY} ${DIRECTORY}/*)
endif()

set(arrays "")
set(table "")
set(index 0)
foreach(file ${FILES})
  file(READ ${DIRECTORY}/${file} bytes HEX)
  string(LENGTH "${bytes}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(REGEX REPLACE "('[^,]*,'[^,]*,'[^,]*,'[^,]*,'[^,]*,'[^,]*,'[^,]*,'[^,]*,)" "\\1\n" bytes
         "${bytes}")
  # One byte more, so that an empty file is an array too.
  string(APPEND arrays "constexpr char kFile${index}[] = {\n${bytes}0};\n")
  string(APPEND table "    {\"${file}\", {kFile${index}, ${length}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Written by cmake/EmbedFiles.cmake.
#include <array>
#include <span>

#include \"base/embedded_file.h\"

namespace ${NAMESPACE} {
namespace {
${arrays}
constexpr std::array<chronos::EmbeddedFile, ${index}> kFiles = {{
${table}}};
}  // namespace

std::span<const chronos::EmbeddedFile> ${FUNCTION}();
std::span<const chronos::EmbeddedFile> ${FUNCTION}() {
  return kFiles;
}
}  // namespace ${NAMESPACE}
")
