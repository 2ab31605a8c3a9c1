#include "store/sql/reader_pool.h"

namespace chronos::store::sql {

std::unique_ptr<Connection> ReaderPool::take() {
  const MutexLock lock(mutex_);
  while (connections_.empty()) returned_.wait(mutex_);
  auto connection = std::move(connections_.back());
  connections_.pop_back();
  return connection;
}

void ReaderPool::give_back(std::unique_ptr<Connection> connection) {
  {
    const MutexLock lock(mutex_);
    connections_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

}  // namespace chronos::store::sql
