// Use cases on jobs: validate, then one store call. Start here. Thread-safe. What changes something
// answers through `done` (request_facts.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/job_version.h"
#include "model/json_codec.h"
#include "model/page.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "service/runs.h"
#include "store/store.h"

namespace chronos::service {

// Knows which actions can be run and who can be told: (declaration, its parsed action object) →
// fine, or FieldErrors below "/action" and "/notify".
using SpecCheck = std::function<Result<void>(const JobSpec& spec, const json::Value& action)>;

struct JobReply {
  Job job;
  std::vector<FieldError> warnings;
  bool is_replay = false;   // an Idempotency-Key repeated
  bool is_created = false;  // made: not changed by its key, nor there as holder of a unique key
};

using BatchReply = std::vector<Result<JobReply>>;

class Jobs {
 public:
  Jobs(store::Store& store, SpecCheck check_spec, const Clock& clock, IdSource& ids,
       SpecRules rules);

  void submit(const Principal& who, const json::Value& body, const RequestFacts& facts,
              Done<JobReply> done);
  // One answer per item, in their order; the items share durable transactions. The items are not
  // needed after the call. A repetition answers each job again, and makes those that an
  // interruption of the first try left out.
  void submit_batch(const Principal& who, const std::vector<const json::Value*>& items,
                    const RequestFacts& facts, Done<BatchReply> done);
  // The job with this key is made, or its declaration replaced as a whole. The same again changes
  // nothing. An empty or malformed key is refused like the field of a body.
  void put_by_key(const Principal& who, const std::string& key, const json::Value& body,
                  const RequestFacts& facts, Done<JobReply> done);
  void reschedule(const Principal& who, JobId job, const json::Value& body,
                  const RequestFacts& facts, Done<JobReply> done);
  void patch(const Principal& who, JobId job, const json::Value& body, const RequestFacts& facts,
             Done<JobReply> done);
  // Edits that pause or resume need the role operator, here and in the three before.
  // {"until": time, "note": text}, both optional: without a time until resume(). The same again
  // changes nothing. Instants that pass while paused are misfires on resume.
  void pause(const Principal& who, JobId job, const json::Value& body, const RequestFacts& facts,
             Done<JobReply> done);
  void resume(const Principal& who, JobId job, const RequestFacts& facts, Done<JobReply> done);
  // What was declared under this version is declared again; a paused job stays paused, a cancelled
  // one is taken up again. What is declared already changes nothing.
  void restore(const Principal& who, JobId job, std::int64_t version, const RequestFacts& facts,
               Done<JobReply> done);
  void cancel(const Principal& who, JobId job, bool keep_running, const RequestFacts& facts,
              Done<JobReply> done);
  void run_now(const Principal& who, JobId job, const RequestFacts& facts, Done<RunReply> done);

  Result<Job> find(const Principal& who, JobId job) const;
  Result<Job> find_by_key(const Principal& who, const std::string& key) const;
  Result<Page<Job>> list(const Principal& who, JobFilter filter) const;
  // Newest first.
  Result<JobVersion> find_version(const Principal& who, JobId job, std::int64_t version) const;
  Result<std::vector<JobVersion>> list_versions(const Principal& who, JobId job,
                                                std::int64_t before, int limit) const;

 private:
  struct Draft;
  // Computes the next value of a stored job: pure but for ids.
  struct Edit {
    std::string_view action;  // for the audit log
    std::function<Result<Draft>(const Job& stored, Timestamp now)> next;
  };

  Result<Draft> draft_new(const Principal& who, const json::Value& body, Shared<JobSpec> declared,
                          Timestamp now) const;
  Result<Draft> draft_edit(const Job& stored, JobSpec spec, bool replaces_schedule,
                           Timestamp now) const;
  Result<Draft> read_edit(const Job& stored, std::string_view text, SpecUse use,
                          Timestamp now) const;
  static Draft unchanged();
  // What other modules know; and the project's own channels.
  Result<void> check_parts(ProjectId project, const JobSpec& spec, const json::Value& action) const;
  void create_by_key(const Principal& who, Draft draft, const RequestFacts& facts,
                     Done<JobReply> done);
  void replace_by_key(const Principal& who, JobId job, Shared<JobSpec> spec, bool says_paused,
                      const RequestFacts& facts, Done<JobReply> done);
  struct Batch;
  void commit_batch(const std::shared_ptr<Batch>& batch, std::size_t from);
  store::SubmitJob change_of(const Principal& who, Draft& draft,
                             std::optional<store::Idempotency> idempotency);
  void commit_new(const Principal& who, Draft draft, std::optional<store::Idempotency> idempotency,
                  Done<JobReply> done);
  // Reads, edits and commits; again when somebody else was faster (and no version was asked for).
  void edit(const Principal& who, JobId job, Edit edit, RequestFacts facts, int tries_left,
            Done<JobReply> done);

  store::Store& store_;
  const SpecCheck check_spec_;
  const Clock& clock_;
  IdSource& ids_;
  const SpecRules rules_;
};

}  // namespace chronos::service
