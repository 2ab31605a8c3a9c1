// The dashboard's files, which are built into the program, and how they are served: the page itself
// for every path that a browser may show (it routes on its own), the rest by their names. Open to
// all: it holds nothing but the program; what it shows it asks the API for. Immutable, thread-safe.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "http/request.h"
#include "http/router.h"

namespace chronos::http {

// As they were built in. Without the dashboard (CHRONOS_DASHBOARD=OFF): a page that says so.
std::span<const EmbeddedFile> dashboard_files();

class Dashboard {
 public:
  // Files by their paths: "index.html", "assets/index-1a2b3c.js", and compressed with ".br" or
  // ".gz" at the end. `base_path` is what people's paths begin with: "/chronos"; empty = nothing.
  // In index.html it is written where names begin with "./".
  Dashboard(std::span<const EmbeddedFile> files, std::string_view base_path);

  // Whether there is one to look at, and not just a page that says otherwise.
  bool is_built_in() const;

  // GET or HEAD of a path that is no route's. Everything unknown is the page for who takes HTML,
  // and not_found for others.
  Response answer(const RequestHead& head) const;

 private:
  // One spelling of a file.
  struct Coding {
    std::string_view name;  // "br"; empty = as it is
    std::string_view content;
  };
  struct File {
    std::string_view content_type;
    std::vector<Coding> codings;  // the shortest first, the file as it is last
    std::string etag;
    bool is_hashed = false;  // its name changes with its content
  };

  const File* find(const RequestHead& head) const;
  void add(std::string_view name, std::string_view content);

  std::string page_;                                // index.html for `base_path`
  std::map<std::string, File, std::less<>> files_;  // by path: "/assets/…"
};

// The row for paths that no other row has. `dashboard` must outlive it.
Route dashboard_route(const Dashboard& dashboard);

}  // namespace chronos::http
