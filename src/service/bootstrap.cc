// The first start: the first project, its admin key and the file that holds it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "service/access.h"

namespace chronos::service {
namespace {

// An open file; closed at the end.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

std::unexpected<Error> fail_file(std::string_view what, const std::string& path) {
  return fail(Reason::internal,
              fmt::format("cannot {} {}: {}", what, path, std::generic_category().message(errno)));
}

// Nothing if there is no such file.
Result<std::optional<std::string>> read_secret(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::nullopt;
    return fail_file("read", path);
  }
  std::array<char, 512> bytes{};
  const auto count = ::read(file.get(), bytes.data(), bytes.size());
  if (count < 0) return fail_file("read", path);
  std::string secret(bytes.data(), static_cast<std::size_t>(count));
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  if (!key_id_of(secret)) {
    return fail(Reason::internal, path + " does not hold a key, and the store is empty: the file " +
                                      "is of something else, move it away");
  }
  return secret;
}

// Whole or not at all: written under another name, then linked to its own, which must be free.
Result<void> write_secret(const std::string& directory, const std::string& path,
                          std::string_view secret) {
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());  // of a start that died
  const File file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) return fail_file("create", draft);
  const auto count = ::write(file.get(), secret.data(), secret.size());
  const bool is_whole = count == static_cast<ssize_t>(secret.size()) &&
                        ::fchmod(file.get(), 0600) == 0 && ::fsync(file.get()) == 0;
  if (!is_whole) {
    auto error = fail_file("write", draft);
    ::unlink(draft.c_str());
    return error;
  }
  const bool is_linked = ::link(draft.c_str(), path.c_str()) == 0;
  auto result = is_linked ? Result<void>() : fail_file("create", path);
  ::unlink(draft.c_str());
  const File parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (is_linked && (!parent.is_open() || ::fsync(parent.get()) != 0)) {
    return fail_file("write", directory);
  }
  return result;
}

store::Bootstrap first_project(const std::string& secret, Timestamp now, IdSource& ids) {
  store::Bootstrap change;
  change.project = {ids.make<ProjectId>(), std::string(kFirstProject), now};
  change.key.id = *key_id_of(secret);
  change.key.project = change.project.id;
  change.key.name = "admin";
  change.key.role = Role::admin;
  change.key.hash = sha256(secret);
  change.key.created_at = now;
  return change;
}

}  // namespace

Result<FirstStart> bootstrap(store::Store& store, const Clock& clock, IdSource& ids,
                             const std::string& data_dir) {
  CHRONOS_TRY(const auto projects, store.list_projects());
  if (!projects.empty()) return FirstStart{};
  const std::string path = data_dir + "/admin.key";
  CHRONOS_TRY(const auto found, read_secret(path));
  const std::string secret = found ? *found : make_secret(ids.make<KeyId>()).secret;
  if (!found) CHRONOS_TRY_VOID(write_secret(data_dir, path, secret));
  const auto made = commit_and_wait(store, first_project(secret, clock.now(), ids));
  // Of an unknown fate: the file stays, the next start finds out.
  if (!made) return std::unexpected(made.error());
  if (!made->is_first) {
    if (!found) ::unlink(path.c_str());  // another node was faster: this key opens nothing
    return FirstStart{};
  }
  return FirstStart{true, secret, path};
}

}  // namespace chronos::service
