// Makes the executor of `http` actions (product.md §6): each attempt is one request to the target,
// and its status decides. The list of kinds (executors.cc) calls. The executor is thread-safe and
// runs the thread of its HTTP client.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "executor/executor.h"
#include "net/http_client.h"

namespace chronos::executor {

struct HttpExecutorOptions {
  net::HttpClientOptions client{};
  std::size_t output_max = 1 << 20;  // bytes of the answer's body that are kept
  std::string user_agent = "chronos";
  // What a project's requests are signed with, by the project's name: a secret ("whsec_…") or two
  // (net/webhook_signature.h). With one that is malformed every attempt fails; of a project that is
  // not named nothing is signed.
  std::map<std::string, std::string> signing_secrets{};
};

// `clock` gives the time of signatures and of Retry-After dates; it must outlive the executor.
std::unique_ptr<Executor> make_http_executor(const Clock& clock, HttpExecutorOptions options);

}  // namespace chronos::executor
