// Loaded into a server by the rig: the CHRONOS_FAIL_MALLOC-th allocation of the process, of
// whatever thread, comes to nothing, and the file CHRONOS_FAIL_MARK is there from then on. It takes
// the place of every allocator that the server is linked with, and hands on to glibc's; nothing
// here may allocate.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT
void* __libc_realloc(void* old, std::size_t size);               // NOLINT
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT
void __libc_free(void* old);                                     // NOLINT
}

namespace {

using SizeOf = std::size_t (*)(void*);

std::atomic<long> left = 0;  // until it fails; 0 and below: never
SizeOf size_of = nullptr;    // glibc's malloc_usable_size

[[gnu::constructor]] void begin() {
  void* const glibc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  size_of = reinterpret_cast<SizeOf>(dlsym(glibc, "malloc_usable_size"));
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

void* aligned(std::size_t alignment, std::size_t size) {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}

// As operator new has to ([new.delete.single]): whoever wants to know that memory ran out is told.
template <class Allocate>
void* or_throw(Allocate allocate) {
  while (true) {
    if (void* const memory = allocate()) return memory;
    const auto tell = std::get_new_handler();
    if (tell == nullptr) throw std::bad_alloc();
    tell();
  }
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

void free(void* old) {
  __libc_free(old);
}

void* memalign(std::size_t alignment, std::size_t size) {
  return aligned(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return aligned(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  void* const made = aligned(alignment, size);
  if (made == nullptr) return ENOMEM;
  *memory = made;
  return 0;
}

std::size_t malloc_usable_size(void* memory) {
  return size_of(memory);
}
}

// jemalloc brings these too, and they would not come by malloc().
void* operator new(std::size_t size) {
  return or_throw([size] { return malloc(size); });
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& nothrow) noexcept {
  return operator new(size, nothrow);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw([=] { return aligned(static_cast<std::size_t>(alignment), size); });
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return operator new(size, alignment);
}
void operator delete(void* memory) noexcept {
  free(memory);
}
void operator delete[](void* memory) noexcept {
  free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  free(memory);
}
