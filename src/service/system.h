// Use cases on the server itself: is it well, what does it hold, what would a schedule do, does a
// notification arrive, a backup. Thread-safe; what reads blocks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/mutex.h"
#include "base/result.h"
#include "model/notification.h"
#include "schedule/preview.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "store/store.h"

namespace chronos::service {

struct Counts {
  std::int64_t jobs = 0;
  std::int64_t due = 0;
  std::int64_t ready = 0;
  std::int64_t held = 0;
  std::int64_t limited = 0;
  std::int64_t running = 0;
  std::int64_t deliveries_waiting = 0;
  std::optional<Duration> oldest_ready_age;
};

struct BackupFile {
  std::string path;  // on the server
  std::int64_t bytes = 0;
};

// What the composition knows and this service does not.
struct SystemParts {
  // Whether something can be sent to the target: fine, or what is not configured.
  std::function<Result<void>(const Target&)> check_target;
  std::vector<std::string> default_addresses;  // whom a test is sent to unless it says otherwise
  // Writes a consistent copy to a new file of its own naming. Blocks.
  std::function<Result<BackupFile>()> write_backup;
};

struct BackupReply {
  BackupFile file;
  bool is_replay = false;
};

struct TestReply {
  std::vector<Target> targets;
  bool is_replay = false;
};

class System {
 public:
  System(store::Store& store, const Clock& clock, IdSource& ids, SystemParts parts);

  Result<void> check_ready() const;  // can it take a job right now?
  Result<Counts> counts() const;

  // The first instants after `from` (nothing = now) that the calendars of `spec` leave open. As the
  // schedule of `job`, when it is given: with its anchor and seed instead of `from` and spec.seed.
  // Refused: not_found.
  Result<schedule::Preview> preview(const Principal& who, schedule::ScheduleSpec spec,
                                    std::optional<JobId> job, std::optional<Timestamp> from,
                                    std::size_t count) const;

  // {"email": address} or {"channel": name}; {} = the default addresses. Refused when nothing can
  // be sent there. Answers when the message is on its way, not when it has arrived.
  void test_notify(const Principal& who, const json::Value& body, const RequestFacts& facts,
                   Done<TestReply> done);

  // One at a time: state_conflict meanwhile. An Idempotency-Key is remembered by this process only:
  // after its end a repetition writes another copy.
  Result<BackupReply> back_up(const Principal& who, const RequestFacts& facts);

 private:
  // A backup under an idempotency key: done, or still being written.
  struct KnownBackup {
    store::Idempotency request;
    std::optional<BackupFile> file;
  };

  Result<std::vector<Target>> read_targets(const Principal& who, const json::Value& body) const;
  Result<void> check_target(const Principal& who, const Target& target) const;
  Result<BackupFile> note_backup(const Principal& who, BackupFile file);
  Result<std::optional<BackupFile>> begin_backup(const std::optional<store::Idempotency>& request);

  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
  const SystemParts parts_;
  Mutex backup_mutex_;
  bool is_backing_up_ CHRONOS_GUARDED_BY(backup_mutex_) = false;
  std::optional<KnownBackup> last_backup_ CHRONOS_GUARDED_BY(backup_mutex_);
};

}  // namespace chronos::service
