// A few connections that read. A read takes one, or waits for one. Thread-safe.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "store/sql/connection.h"

namespace chronos::store::sql {

class ReaderPool {
 public:
  explicit ReaderPool(std::vector<std::unique_ptr<Connection>> connections)
      : connections_(std::move(connections)) {}

  // Runs `read(Connection&)`, which answers a Result, on one snapshot.
  template <class Read>
  auto read(Read read) -> decltype(read(std::declval<Connection&>())) {
    const Loan loan(*this);
    auto answer = read_once(loan.connection(), read);
    // A connection may have been lost while nobody used it.
    if (!answer && loan.connection().is_lost()) answer = read_once(loan.connection(), read);
    return answer;
  }

 private:
  template <class Read>
  static auto read_once(Connection& connection, Read& read) -> decltype(read(connection)) {
    CHRONOS_TRY_VOID(connection.begin());
    auto answer = read(connection);
    connection.rollback();
    return answer;
  }

  class Loan {
   public:
    explicit Loan(ReaderPool& pool) : pool_(pool), connection_(pool.take()) {}
    ~Loan() { pool_.give_back(std::move(connection_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Connection& connection() const { return *connection_; }

   private:
    ReaderPool& pool_;
    std::unique_ptr<Connection> connection_;
  };

  std::unique_ptr<Connection> take();
  void give_back(std::unique_ptr<Connection> connection);

  Mutex mutex_;
  Condition returned_;
  std::vector<std::unique_ptr<Connection>> connections_ CHRONOS_GUARDED_BY(mutex_);
};

}  // namespace chronos::store::sql
