#include "power/stored_jobs.h"

#include <sqlite3.h>

#include <cstdlib>
#include <stdexcept>

#include "store/open.h"
#include "support/print.h"

namespace chronos::power {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Folder::Folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "chronos-power-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
}

Folder::~Folder() {
  std::filesystem::remove_all(path_);
}

std::string integrity_of(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  std::string told = "not opened";
  if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    const auto keep = [](void* into, int, char** values, char**) {
      *static_cast<std::string*>(into) = values[0];
      return 0;
    };
    if (sqlite3_exec(db, "PRAGMA integrity_check", keep, &told, nullptr) != SQLITE_OK) {
      told = sqlite3_errmsg(db);
    }
  }
  sqlite3_close(db);
  return told;
}

StoredJobs::StoredJobs(const std::string& url)
    : ids_(clock_, Rng(7)),
      project_(ids_.make<ProjectId>()),
      store_(test::must(store::open_store(url, clock_)).store) {
  test::must(store::commit_and_wait(
      *store_, store::PutProject{{project_, "default", clock_.now()}, {}, {}}));
}

store::SubmitJob StoredJobs::new_job(std::size_t name_size) {
  Job job;
  job.id = ids_.make<JobId>();
  job.project = project_;
  job.spec = test::sample_spec(std::string(name_size, 'n'));
  job.created_at = job.updated_at = clock_.now();
  const PlannedRun run{ids_.make<RunId>(), Trigger::manual, clock_.now(),
                       clock_.now(),       false,           std::nullopt};
  return {job, run, clock_.now(), {}};
}

JobId StoredJobs::submit() {
  return test::must(store::commit_and_wait(*store_, new_job())).job.id;
}

}  // namespace chronos::power
