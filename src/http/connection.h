// Connection: one client. Reads its requests, asks the gate, calls the handlers, writes the answers
// in the order of the requests, and ends it when a limit or a rule is broken. Private to the
// server. Everything but the Reply it hands out runs on its worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/gate.h"
#include "http/intake.h"
#include "http/output.h"
#include "http/request.h"
#include "http/request_reader.h"
#include "http/transport.h"
#include "http/worker.h"

namespace chronos::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Shares the worker because a Reply may outlive the server.
  Connection(std::shared_ptr<Worker> worker, std::unique_ptr<Transport> transport,
             std::string peer);
  ~Connection();

  void start();
  void drain();  // answer what was asked, then end
  void close();  // now; answers under way are lost

  SteadyTime deadline() const { return std::min(read_deadline_, write_deadline_); }
  void on_deadline(SteadyTime now);

  // What the continuations handed out call, through the loop. `number` is the request's.
  void on_head_verdict(std::uint64_t number, HeadVerdict verdict);
  void on_body_verdict(std::uint64_t number, Admission admission);
  void on_reply(std::uint64_t number, Result<Response> response);  // an error = dropped
  void on_stream();

  EventLoop& loop() { return worker_->loop(); }

  std::size_t index = 0;  // the worker's: where this is in its list

 private:
  static constexpr SteadyTime kNever = SteadyTime::max();

  // How far reading has come. Requests go through head … body; the rest is the end.
  enum class Stage {
    handshake,
    head,     // reading a head, or waiting for one
    turn,     // the head is complete, but earlier requests must be answered first
    gate,     // the gate is deciding
    body,     // reading the body
    discard,  // reading a body nobody wants, to keep the connection
    closing,  // nothing more is read; answers may be due
    linger,   // all is written and the end announced; the client may hang up
    closed,
  };

  // A request that was begun and whose answer is not yet on its way.
  struct Slot {
    std::uint64_t number = 0;
    Method method = Method::other;
    bool is_http10 = false;
    bool is_ready = false;
    const Route* route = nullptr;
    SteadyTime started{0};
    Response response;
    std::shared_ptr<Stream::State> stream;  // of a streamed answer, once its head is written
  };

  // Reading: each is a step that did something, or false if it must wait.
  bool step();
  bool read_head();
  bool take_turn();
  bool read_body();
  bool skip_body();

  bool may_start() const;
  void open_slot();
  void begin_body();
  void run_handler();
  bool may_come();
  bool enter_intake();
  void turn_away();
  void next_request();
  std::optional<Error> find_fault() const;
  void answer(Response response);  // the request being read
  void answer_unread(Response response);
  void refuse(const Error& error);
  void cut_short();
  void charge_body();
  void release_body();

  // Writing.
  bool collect();
  bool collect_stream(Slot& slot);
  void put(Slot& slot);
  void begin_stream(Slot& slot);
  void pop_slot();

  void process();
  void read_more();
  std::span<char> room();
  void write_more();
  void write_rest();
  void rest_if_idle();
  void end_if_done();
  void on_read(bool is_ok, std::size_t count);
  void on_write(bool is_ok, std::size_t count);
  SteadyTime allowance(SteadyTime start, Duration timeout, std::size_t bytes) const;
  Response problem_here(const Error& error) const;

  const std::shared_ptr<Worker> worker_;
  const ServerOptions& options_;
  const std::unique_ptr<Transport> transport_;
  const std::string peer_;
  Stage stage_ = Stage::handshake;
  bool is_draining_ = false;
  bool is_in_process_ = false;
  bool is_cut_short_ = false;
  std::stop_source gone_;

  // The request being read; its slot is the last of slots_ from Stage::gate on.
  RequestReader reader_;
  RequestHead head_;
  std::optional<std::expected<Router::Match, Router::Mismatch>> match_;  // while it waits its turn
  const Route* route_ = nullptr;
  std::optional<Error> query_error_;
  std::string body_;
  std::shared_ptr<const Caller> caller_;
  bool needs_body_verdict_ = false;
  std::size_t charged_ = 0;                 // of body_, in Shared::body_bytes
  std::optional<Intake::Arrival> arrival_;  // of a submission's body, while it is read
  // Of the submissions that were handed on, until their handlers answer, whoever still reads that;
  // by the requests' numbers.
  std::map<std::uint64_t, Intake::Place> places_;
  std::size_t body_read_ = 0;
  std::size_t lingered_ = 0;
  SteadyTime body_started_{0};
  bool is_reading_ = false;  // a read is pending
  bool is_wasting_ = false;  // and goes to the worker's waste
  bool is_eof_ = false;
  bool is_fresh_ = true;         // no request has come yet
  bool has_head_begun_ = false;  // some of the head came, and its time runs
  bool is_idle_ = true;
  SteadyTime read_deadline_;

  std::vector<Slot> slots_;  // oldest first
  std::uint64_t next_number_ = 0;
  Output out_;            // being written
  Output next_out_;       // to be written next
  std::size_t sent_ = 0;  // of out_
  bool is_writing_ = false;
  SteadyTime write_started_{0};
  SteadyTime write_deadline_;
};

}  // namespace chronos::http
