// The bare loop that H1 is a ratio of: libcurl multi, 64 POSTs in flight over kept-alive
// connections to one local server.
//
//   bare_curl URL SECONDS      prints the rate
#include <curl/curl.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

namespace {

std::size_t discard(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

CURL* make_call(const char* url) {
  CURL* call = curl_easy_init();
  curl_easy_setopt(call, CURLOPT_URL, url);
  curl_easy_setopt(call, CURLOPT_POSTFIELDS, "{}");
  curl_easy_setopt(call, CURLOPT_WRITEFUNCTION, discard);
  return call;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  curl_global_init(CURL_GLOBAL_ALL);
  CURLM* multi = curl_multi_init();
  for (int i = 0; i < 64; ++i) curl_multi_add_handle(multi, make_call(argv[1]));
  const auto begun = std::chrono::steady_clock::now();
  const auto until = begun + std::chrono::seconds(std::atoi(argv[2]));
  long ended = 0;
  while (std::chrono::steady_clock::now() < until) {
    int running = 0, left = 0;
    curl_multi_perform(multi, &running);
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      CURL* call = message->easy_handle;
      curl_multi_remove_handle(multi, call);
      curl_multi_add_handle(multi, call);
      ++ended;
    }
    curl_multi_poll(multi, nullptr, 0, 10, nullptr);
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
  std::cout << static_cast<double>(ended) / elapsed.count() << std::endl;
}
