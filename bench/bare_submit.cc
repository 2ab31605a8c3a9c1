// The bare loop that S1 is a ratio of: Beast reads a POST, simdjson parses it, one SQLite writer
// (WAL, FULL) inserts the job and its due row in group commits, the reply goes out after the
// commit. No keys, no checks, no schedule.
//
//   bare_submit FILE      prints its port
#include <simdjson.h>
#include <sqlite3.h>

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

struct Waiting {
  std::string name;
  std::string body;
  std::move_only_function<void()> done;
};

class Writer {
 public:
  explicit Writer(const char* path) {
    if (sqlite3_open(path, &database_) != SQLITE_OK) std::exit(1);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("PRAGMA wal_autocheckpoint=20000");
    run("CREATE TABLE jobs(id INTEGER PRIMARY KEY, name TEXT, body TEXT)");
    run("CREATE TABLE due(at INTEGER, id INTEGER, PRIMARY KEY(at, id)) WITHOUT ROWID");
    prepare("INSERT INTO jobs(name, body) VALUES(?, ?)", &insert_job_);
    prepare("INSERT INTO due VALUES(?, ?)", &insert_due_);
    thread_ = std::jthread([this](std::stop_token stop) { loop(stop); });
  }

  void add(Waiting waiting) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(waiting));
    }
    arrived_.notify_one();
  }

 private:
  void run(const char* sql) { sqlite3_exec(database_, sql, nullptr, nullptr, nullptr); }
  void prepare(const char* sql, sqlite3_stmt** statement) {
    if (sqlite3_prepare_v2(database_, sql, -1, statement, nullptr) != SQLITE_OK) std::exit(1);
  }

  void insert(const Waiting& waiting) {
    sqlite3_bind_text(insert_job_, 1, waiting.name.data(), static_cast<int>(waiting.name.size()),
                      SQLITE_STATIC);
    sqlite3_bind_text(insert_job_, 2, waiting.body.data(), static_cast<int>(waiting.body.size()),
                      SQLITE_STATIC);
    sqlite3_step(insert_job_);
    sqlite3_reset(insert_job_);
    const auto id = sqlite3_last_insert_rowid(database_);
    sqlite3_bind_int64(insert_due_, 1, 4'000'000'000'000'000 + id);
    sqlite3_bind_int64(insert_due_, 2, id);
    sqlite3_step(insert_due_);
    sqlite3_reset(insert_due_);
  }

  void loop(std::stop_token stop) {
    while (!stop.stop_requested()) {
      std::vector<Waiting> batch;
      {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [this] { return !waiting_.empty(); });
        batch = std::exchange(waiting_, {});
      }
      run("BEGIN IMMEDIATE");
      for (const auto& waiting : batch) insert(waiting);
      run("COMMIT");
      for (auto& waiting : batch) waiting.done();
    }
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_job_ = nullptr;
  sqlite3_stmt* insert_due_ = nullptr;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Waiting> waiting_;
  std::jthread thread_;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Writer& writer) : socket_(std::move(socket)), writer_(writer) {
    socket_.set_option(tcp::no_delay(true));
  }

  void read() {
    request_ = {};
    http::async_read(socket_, buffer_, request_, [self = shared_from_this()](auto error, auto) {
      if (!error) self->handle();
    });
  }

 private:
  void handle() {
    thread_local simdjson::ondemand::parser parser;
    const simdjson::padded_string text(request_.body());
    simdjson::ondemand::document document;
    std::string_view name;
    if (parser.iterate(text).get(document) || document["name"].get_string().get(name)) return;
    writer_.add({std::string(name), std::move(request_.body()), [self = shared_from_this()] {
                   asio::post(self->socket_.get_executor(), [self] { self->reply(); });
                 }});
  }

  void reply() {
    static constexpr std::string_view kReply =
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n"
        "{\"ok\":true}";
    asio::async_write(socket_, asio::buffer(kReply), [self = shared_from_this()](auto error, auto) {
      if (!error) self->read();
    });
  }

  tcp::socket socket_;
  Writer& writer_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
};

void accept(tcp::acceptor& acceptor, Writer& writer) {
  acceptor.async_accept([&](auto error, tcp::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket), writer)->read();
    accept(acceptor, writer);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Writer writer(argv[1]);
  asio::io_context loop(1);
  tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
  std::cout << acceptor.local_endpoint().port() << std::endl;
  accept(acceptor, writer);
  loop.run();
}
