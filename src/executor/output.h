// Bounded capture of what an attempt prints: the beginning and the end are kept, the middle is
// counted. Executors append; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chronos::executor {

// What came, as the bytes they were. Where bytes were dropped a line says how many.
struct Captured {
  std::string text;          // at most the capacity, the line of the gap included
  std::int64_t dropped = 0;  // bytes that came and are not in `text`
};

class OutputCapture {
 public:
  // `capacity` in bytes. Everything is kept up to it; beyond it the first three quarters are the
  // beginning of the output and the last quarter is its end. Below 256 only the beginning is kept
  // and there is no line in the middle.
  explicit OutputCapture(std::size_t capacity);

  void append(std::string_view bytes);

  // The beginning that will be in take() whatever comes.
  std::string_view head() const { return head_; }

  // What was captured; the capture is empty afterwards.
  Captured take();

 private:
  std::size_t head_max_;
  std::size_t tail_max_;
  std::string head_;
  std::string tail_;             // a ring once it is full
  std::size_t tail_oldest_ = 0;  // where the ring's oldest byte is
  std::uint64_t total_ = 0;
};

}  // namespace chronos::executor
