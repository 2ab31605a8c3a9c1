// What the machine says: disk, clock, time zones, limits, the mail server.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "app/doctor.h"
#include "net/smtp_client.h"
#include "schedule/timezone.h"

namespace chronos::app {
namespace {

constexpr int kSyncs = 9;
constexpr long kCifs = 0xFF534D42;
constexpr long kSmb2 = 0xFE534D42;

// Of some small writes, each made durable: the one in the middle. Nothing when one of them failed.
std::optional<Duration> measure_sync(int file) {
  constexpr std::array<char, 4096> kBlock{};
  std::array<Duration, kSyncs> times{};
  const SystemClock clock;
  for (auto& time : times) {
    const auto before = clock.steady();
    const bool is_done =
        ::write(file, kBlock.data(), kBlock.size()) == static_cast<ssize_t>(kBlock.size()) &&
        ::fdatasync(file) == 0;
    if (!is_done) return std::nullopt;
    time = clock.steady() - before;
  }
  std::ranges::sort(times);
  return times[kSyncs / 2];
}

namespace fs = std::filesystem;

// Of the database's file, which may lie elsewhere than the rest.
fs::path directory_of(const Config& config) {
  constexpr std::string_view kSqlite = "sqlite:";
  const auto& url = config.store.url;
  if (!url.starts_with(kSqlite)) return config.data_dir;
  const auto directory = fs::path(url.substr(kSqlite.size())).parent_path();
  return directory.empty() ? fs::path(".") : directory;
}

DiskFacts examine_disk(const fs::path& directory) {
  DiskFacts disk;
  std::error_code ignored;
  auto place = fs::absolute(directory, ignored);
  while (!fs::exists(place, ignored) && place.has_parent_path() && place != place.parent_path()) {
    place = place.parent_path();
  }
  disk.path = place.string();
  struct statvfs space{};
  struct statfs kind{};
  if (::statvfs(place.c_str(), &space) == 0 && ::statfs(place.c_str(), &kind) == 0) {
    disk.bytes = space.f_blocks * space.f_frsize;
    disk.free_bytes = space.f_bavail * space.f_frsize;
    // Some file systems make inodes as they are needed, and say 0 of 0.
    disk.free_files = space.f_files == 0 ? ~std::uint64_t{0} : space.f_favail;
    disk.is_in_memory = kind.f_type == TMPFS_MAGIC || kind.f_type == RAMFS_MAGIC;
    disk.is_on_network =
        kind.f_type == NFS_SUPER_MAGIC || kind.f_type == kCifs || kind.f_type == kSmb2;
  }
  auto pattern = (place / ".chronos-doctor-XXXXXX").string();
  const int file = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (file < 0) {
    disk.problem = disk.path + " cannot be written: " + std::strerror(errno);
    return disk;
  }
  ::unlink(pattern.c_str());
  disk.sync = measure_sync(file);
  ::close(file);
  return disk;
}

ClockFacts examine_clock() {
  timex kernel{};
  const int state = ::adjtimex(&kernel);
  if (state < 0) return {.is_known = false};
  return {.is_kept_in_step = state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0};
}

ZoneFacts examine_zones() {
  ZoneFacts zones;
  const auto found = schedule::TimeZone::find("America/New_York");
  if (!found) zones.problem = found.error().message;
  const char* directory = std::getenv("TZDIR");
  std::ifstream rules(std::string(directory != nullptr ? directory : "/usr/share/zoneinfo") +
                      "/tzdata.zi");
  constexpr std::string_view kVersion = "# version ";
  std::string line;
  if (std::getline(rules, line) && line.starts_with(kVersion)) {
    zones.version = line.substr(kVersion.size());
  }
  return zones;
}

std::uint64_t open_files_max() {
  rlimit files{};
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_max : 0;
}

std::string examine_smtp(const SmtpConfig& smtp) {
  if (smtp.host.empty()) return {};
  net::SmtpServer server{.host = smtp.host,
                         .port = static_cast<std::uint16_t>(smtp.port),
                         .user = smtp.user,
                         .password = smtp.password,
                         .ca_file = {}};
  server.tls = net::parse_smtp_tls(to_string(smtp.tls)).value_or(server.tls);
  return net::greet(server, std::chrono::seconds(5));
}

}  // namespace

MachineFacts examine(const Config& config) {
  MachineFacts facts{.disk = examine_disk(directory_of(config)),
                     .clock = examine_clock(),
                     .zones = examine_zones(),
                     .is_root = ::geteuid() == 0,
                     .open_files_max = open_files_max(),
                     .smtp_problem = examine_smtp(config.smtp),
                     .store = {},
                     .store_problem = {},
                     .store_fix = {}};
  auto store = store::examine_store(config.store.url);
  if (store) {
    facts.store = std::move(*store);
  } else {
    facts.store_problem = store.error().message;
    facts.store_fix = store.error().hint.empty()
                          ? "correct store.url, and look whether the server listens and lets this "
                            "role in (pg_hba.conf)"
                          : store.error().hint;
  }
  return facts;
}

}  // namespace chronos::app
