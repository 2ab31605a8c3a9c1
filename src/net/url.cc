#include "net/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace chronos::net {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::unexpected<Error> refuse(std::string code, std::string message) {
  return fail_field("", std::move(code), std::move(message));
}

Handle make_handle() {
  Handle handle(curl_url(), &curl_url_cleanup);
  if (!handle) throw std::bad_alloc();
  return handle;
}

std::string part_of(CURLU* handle, CURLUPart part, unsigned int flags = 0) {
  char* text = nullptr;
  const CURLUcode code = curl_url_get(handle, part, &text, flags);
  if (code == CURLUE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
  return text;
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

Result<void> check_length(std::string_view text) {
  if (text.size() <= kUrlBytesMax) return {};
  return refuse("too_long", fmt::format("the URL has {} bytes, at most {} are allowed", text.size(),
                                        kUrlBytesMax));
}

Result<Url> url_of(CURLU* handle) {
  Url url;
  curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  url.text = part_of(handle, CURLUPART_URL);
  url.scheme = lower_case(part_of(handle, CURLUPART_SCHEME));
  url.host = lower_case(part_of(handle, CURLUPART_HOST));
  const std::string port = part_of(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (url.scheme != "http" && url.scheme != "https") {
    return refuse("bad_scheme", fmt::format("the scheme must be http or https, not '{}'",
                                            std::string_view(url.scheme).substr(0, 32)));
  }
  if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
  // Converting it would depend on the locale, and full-width digits would become an address.
  // (Of the whole text: the zone of an address is no part of its host.)
  if (std::ranges::any_of(url.text, [](char c) { return static_cast<unsigned char>(c) > 0x7f; })) {
    return refuse("bad_url", "the host must be written in ASCII (xn--… for international names)");
  }
  if (url.host.empty()) return refuse("bad_url", "the URL has no host");
  if (url.port == 0) return refuse("bad_url", "port 0 cannot be connected to");
  CHRONOS_TRY_VOID(check_length(url.text));  // percent-encoding makes three bytes of one
  return url;
}

Result<void> check_characters(std::string_view text) {
  const bool has_control = std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte == 0x7f;
  });
  if (has_control) {
    return refuse("bad_character", "the URL must not contain white space or control characters");
  }
  return {};
}

CURLUcode read_into(CURLU* handle, const std::string& text) {
  return curl_url_set(handle, CURLUPART_URL, text.c_str(),
                      CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE);
}

Result<Url> set_url(CURLU* handle, std::string_view text) {
  CHRONOS_TRY_VOID(check_length(text));
  CHRONOS_TRY_VOID(check_characters(text));
  CURLUcode code = read_into(handle, std::string(text));
  // A host that was percent-encoded is decoded now, but the spellings of an address are not folded.
  if (code == CURLUE_OK && text.contains('%')) {
    code = read_into(handle, part_of(handle, CURLUPART_URL));
  }
  if (code == CURLUE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code == CURLUE_USER_NOT_ALLOWED) {
    return refuse("has_credentials",
                  "the URL must not hold a user name or password; send a header instead");
  }
  if (code != CURLUE_OK) {
    return refuse("bad_url", fmt::format("not a URL: {}", lower_case(curl_url_strerror(code))));
  }
  return url_of(handle);
}

Result<Url> parse_afresh(std::string_view text) {
  const std::string start = lower_case(std::string(text.substr(0, 9)));
  const auto authority = start.find("://");
  if (!start.starts_with("http://") && !start.starts_with("https://")) {
    return refuse("bad_scheme", "the URL must be absolute and start with http:// or https://");
  }
  // libcurl would take "http:///name" for a host; a typo must not become one.
  if (text.substr(authority + 3).starts_with('/')) return refuse("bad_url", "the URL has no host");
  const Handle handle = make_handle();
  return set_url(handle.get(), text);
}

// The URLs that were accepted last, by exactly their text: many jobs name the same one, and libcurl
// needs longer than all else that is checked of a job. Thread-safe. (Not one for each thread:
// without memory for a thread's destructors, glibc ends the process.)
class LastAccepted {
 public:
  std::optional<Url> find(std::string_view text) const {
    const MutexLock lock(mutex_);
    const auto found = std::ranges::find(entries_, text, &Entry::text);
    return found == entries_.end() ? std::nullopt : std::optional(found->url);
  }

  void add(std::string_view text, const Url& url) {
    if (text.size() > kTextMax) return;
    Entry entry{std::string(text), url};
    const MutexLock lock(mutex_);
    if (entries_.size() < kEntriesMax) {
      entries_.push_back(std::move(entry));
    } else {
      entries_[oldest_] = std::move(entry);
      oldest_ = (oldest_ + 1) % kEntriesMax;
    }
  }

 private:
  static constexpr std::size_t kEntriesMax = 8;
  static constexpr std::size_t kTextMax = 512;  // bytes
  struct Entry {
    std::string text;
    Url url;
  };
  static_assert(std::is_nothrow_move_assignable_v<Entry>);  // without memory: all of it, or nothing

  mutable Mutex mutex_;
  std::vector<Entry> entries_ CHRONOS_GUARDED_BY(mutex_);
  std::size_t oldest_ CHRONOS_GUARDED_BY(mutex_) = 0;  // once all places are taken
};

}  // namespace

Result<Url> parse_url(std::string_view text) {
  static LastAccepted accepted;
  if (auto known = accepted.find(text)) return std::move(*known);
  auto url = parse_afresh(text);
  if (url) accepted.add(text, *url);
  return url;
}

Result<Url> resolve_url(const Url& base, std::string_view reference) {
  const Handle handle = make_handle();
  CHRONOS_TRY([[maybe_unused]] const Url from, set_url(handle.get(), base.text));
  return set_url(handle.get(), reference);
}

bool is_same_origin(const Url& a, const Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

}  // namespace chronos::net
