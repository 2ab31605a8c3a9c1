// One outbound call on its way: the libcurl handle of its current hop, what arrived so far, and the
// rules that bound it. Private to http_client.cc, which drives the handle. One thread.
#pragma once

#include <memory>
#include <string>

#include "net/http_call.h"
#include "net/http_client.h"

namespace chronos::net {

class HttpTransfer {
 public:
  // `options` must outlive the transfer.
  HttpTransfer(const HttpClientOptions& options, HttpCall call);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Whether handle() is ready to be performed. If not, the answer says why.
  bool prepare();

  void* handle() const;  // CURL*; the same for every hop

  // Takes in how libcurl ended the hop (a CURLcode). True: a redirect leads on and handle() is
  // ready for the next hop.
  bool finish(int curl_code);

  // Ends the call before it ended by itself.
  void abandon(HttpFailure failure, std::string error);

  HttpAnswer take_answer();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chronos::net
