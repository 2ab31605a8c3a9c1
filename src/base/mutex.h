// A mutex with clang's thread-safety annotations: under clang an unguarded access to guarded data
// is an error (-Wthread-safety). Under gcc the annotations are nothing.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define CHRONOS_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define CHRONOS_THREAD_ANNOTATION(x)
#endif

#define CHRONOS_GUARDED_BY(x) CHRONOS_THREAD_ANNOTATION(guarded_by(x))
#define CHRONOS_REQUIRES(...) CHRONOS_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define CHRONOS_EXCLUDES(...) CHRONOS_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace chronos {

class CHRONOS_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() CHRONOS_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() CHRONOS_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class CHRONOS_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) CHRONOS_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() CHRONOS_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits on a Mutex: `condition.wait(mutex)` with the mutex held.
using Condition = std::condition_variable_any;

}  // namespace chronos
