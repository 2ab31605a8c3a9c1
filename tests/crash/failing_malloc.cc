// Loaded into a server by the rig: the CHRONOS_FAIL_MALLOC-th allocation of the process, of
// whatever thread, comes to nothing, and the file CHRONOS_FAIL_MARK is there from then on. Only
// glibc's own names below are its doing; nothing here may allocate.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

extern "C" {
void* __libc_malloc(std::size_t size);                     // NOLINT
void* __libc_calloc(std::size_t count, std::size_t size);  // NOLINT
void* __libc_realloc(void* old, std::size_t size);         // NOLINT
}

namespace {

std::atomic<long> left = 0;  // until it fails; 0 and below: never

[[gnu::constructor]] void begin() {
  if (const char* text = std::getenv("CHRONOS_FAIL_MALLOC")) left = std::atol(text);
}

bool fails() {
  if (left.load(std::memory_order_relaxed) <= 0 || left.fetch_sub(1) != 1) return false;
  if (const char* path = std::getenv("CHRONOS_FAIL_MARK")) {
    const int file = ::open(path, O_WRONLY | O_CREAT, 0600);
    static_cast<void>(!::write(file, "INJECTED\n", 9));
    ::close(file);
  }
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  return fails() ? nullptr : __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  return fails() ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
  return fails() ? nullptr : __libc_realloc(old, size);
}
}
