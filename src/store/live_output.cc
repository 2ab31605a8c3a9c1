#include "store/live_output.h"

#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace chronos::store {

struct LiveOutput::State : std::enable_shared_from_this<State> {
  State(Store& its_store, std::size_t its_waiting_max)
      : store(its_store), waiting_max(its_waiting_max) {}

  bool append(const Source& source, std::int64_t offset, std::string_view bytes) {
    {
      const MutexLock lock(mutex);
      if (bytes_waiting + bytes.size() > waiting_max) return false;
      bytes_waiting += bytes.size();
      waiting.push_back({source.project, source.job, source.run, source.attempt, source.token,
                         offset, std::string(bytes)});
      if (std::exchange(is_committing, true)) return true;
    }
    commit();
    return true;
  }

  void commit() {
    AppendOutput change;
    {
      const MutexLock lock(mutex);
      change.pieces.swap(waiting);
      bytes_waiting = 0;
      is_committing = !change.pieces.empty();
      if (!is_committing) return;
    }
    store.commit(std::move(change), [self = shared_from_this()](
                                        const Result<AppendOutput::Answer>&) { self->commit(); });
  }

  Store& store;
  const std::size_t waiting_max;
  Mutex mutex;
  std::vector<AppendOutput::Piece> waiting CHRONOS_GUARDED_BY(mutex);
  std::size_t bytes_waiting CHRONOS_GUARDED_BY(mutex) = 0;
  bool is_committing CHRONOS_GUARDED_BY(mutex) = false;
};

LiveOutput::LiveOutput(Store& store, std::size_t waiting_max)
    : state_(std::make_shared<State>(store, waiting_max)) {}

bool LiveOutput::append(const Source& source, std::int64_t offset, std::string_view bytes) {
  return state_->append(source, offset, bytes);
}

}  // namespace chronos::store
