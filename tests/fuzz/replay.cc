// What stands in for libFuzzer where there is none: every known input is tried once, in every
// build. Arguments are files, folders of files, and lists of inputs (*.txt, one a line).
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int input_count = 0;

void try_input(const std::string& input) {
  // A copy of exactly its size, so that a sanitizer sees a read past the end.
  const std::basic_string<char> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(exact.data()), exact.size());
  ++input_count;
}

void try_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (path.extension() == ".txt") {
    for (std::string line; std::getline(file, line);) try_input(line);
  } else {
    try_input({std::istreambuf_iterator<char>(file), {}});
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      try_file(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) try_file(entry.path());
  }
  std::printf("%d inputs\n", input_count);
  return input_count == 0 ? 1 : 0;  // a list that was moved away must not pass
}
