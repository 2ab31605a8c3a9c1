// One outbound call on its way: the libcurl handle of its current hop, what arrived so far, and the
// rules that bound it. Private to http_client.cc, which drives the handle. One thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/http_call.h"
#include "net/http_client.h"
#include "net/socket_watch.h"
#include "net/url.h"

namespace chronos::net {

// What one client's transfers use again and again, because making it anew costs about as much as a
// short call: libcurl handles, with the options that no call changes, and URLs that were read
// lately. One thread.
class TransferStock {
 public:
  // `sockets`, which must outlive this, is told of connections that open and close; may be null.
  explicit TransferStock(HttpClientOptions options, SocketWatch* sockets = nullptr)
      : options_(std::move(options)), sockets_(sockets) {}
  ~TransferStock();
  TransferStock(const TransferStock&) = delete;
  TransferStock& operator=(const TransferStock&) = delete;

  const HttpClientOptions& options() const { return options_; }
  SocketWatch* sockets() const { return sockets_; }

  void* take_handle();  // CURL*; null when there is no memory
  // Nothing the handle was told of the call may be used any more.
  void give_back(void* handle);

  Result<Url> read_url(const std::string& text);  // parse_url()

 private:
  const HttpClientOptions options_;
  SocketWatch* const sockets_;
  std::vector<void*> handles_;
  std::unordered_map<std::string, Url> urls_;
};

class HttpTransfer {
 public:
  // `stock` must outlive the transfer.
  HttpTransfer(TransferStock& stock, HttpCall call);
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
  friend class TransferStock;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chronos::net
