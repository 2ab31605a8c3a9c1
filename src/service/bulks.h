// One action on many jobs or runs: picked when it is asked for, begun after a time to undo it, done
// a few things at a time. What is picked and how far it came is in the store, so that a restart
// goes on where it was; a thing may be acted on twice then, and each action stands that.
//
// create(), find() and the others: thread-safe; they block. step(): one thread.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/bulk.h"
#include "model/page.h"
#include "service/jobs.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "service/runs.h"
#include "store/store.h"

namespace chronos::service {

// Which things: one of the three.
struct BulkRequest {
  BulkAction action = BulkAction::cancel;
  std::optional<JobFilter> jobs;
  std::optional<RunFilter> runs;
  std::vector<std::string> ids;  // of jobs, or of runs
  std::string selection;         // as the user wrote it, JSON; for people
  bool dry_run = false;
};

struct BulkSample {
  std::string id;
  std::string name;
};

struct BulkReply {
  std::optional<Bulk> bulk;  // nothing: it was a dry run
  std::int64_t matches = 0;
  std::vector<BulkSample> sample;  // of a dry run: the first few
  bool is_replay = false;
};

class Bulks {
 public:
  // `on_moved` is told of each that begins to wait and of each step, on the thread that makes it.
  Bulks(
      store::Store& store, const Clock& clock, IdSource& ids, Jobs& jobs, Runs& runs,
      std::function<void(const Bulk&)> on_moved = [](const Bulk&) {});

  Result<BulkReply> create(const Principal& who, const BulkRequest& request,
                           const RequestFacts& facts);
  Result<Bulk> find(const Principal& who, BulkId bulk) const;
  Result<std::vector<Bulk>> list(const Principal& who, std::optional<BulkId> after,
                                 int limit) const;
  // Before it starts: undone. After: it stops after the things under way. Over already: as it is.
  Result<Bulk> cancel(const Principal& who, BulkId bulk);

  // One step of one bulk operation, if there is one to do; returns when to call again at the
  // latest. Waits for the store.
  Timestamp step();
  // Called when there may be something to do sooner than step() said. Set once, before anything.
  void on_work(std::function<void()> wake) { wake_ = std::move(wake); }
  // From now on step() begins nothing; thread-safe.
  void stop() { is_stopping_ = true; }

 private:
  struct Picked;
  struct Outcome;
  Result<Picked> pick(const Principal& who, const BulkRequest& request) const;
  Result<std::string> name_of(const Principal& who, const std::string& id) const;
  Result<void> name_all(const Principal& who, std::vector<BulkSample>& sample) const;
  Result<Principal> author(const Bulk& bulk) const;
  bool advance(Bulk bulk);
  std::vector<Outcome> act(const Bulk& bulk, const Principal& who, const std::vector<Uuid>& items);
  void act_on(const Bulk& bulk, const Principal& who, Uuid item, Done<bool> done);
  Result<Bulk> record(Bulk bulk, const std::vector<Outcome>& outcomes);

  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
  Jobs& jobs_;
  Runs& runs_;
  const std::function<void(const Bulk&)> on_moved_;
  std::function<void()> wake_ = [] {};
  std::atomic<bool> is_stopping_ = false;
};

}  // namespace chronos::service
