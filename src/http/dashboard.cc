#include "http/dashboard.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/crypto.h"
#include "http/problem.h"

namespace chronos::http {
namespace {

constexpr std::string_view kPage = "/index.html";

// Scripts, styles and pictures of our own, and nothing else: no inline script, no other host, no
// frame, and no text that a script takes for markup (W3C Trusted Types).
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

struct FileType {
  std::string_view ending;
  std::string_view content_type;
};
constexpr std::array kTypes = {
    FileType{".html", "text/html; charset=utf-8"},
    FileType{".js", "text/javascript; charset=utf-8"},
    FileType{".css", "text/css; charset=utf-8"},
    FileType{".svg", "image/svg+xml"},
    FileType{".png", "image/png"},
    FileType{".ico", "image/x-icon"},
    FileType{".woff2", "font/woff2"},
    FileType{".json", "application/json"},
    FileType{".webmanifest", "application/manifest+json"},
    FileType{".txt", "text/plain; charset=utf-8"},
};

std::string_view type_of(std::string_view name) {
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

struct Compression {
  std::string_view ending;
  std::string_view coding;
};
constexpr std::array kCompressions = {Compression{".br", "br"}, Compression{".gz", "gzip"}};

// Whether a list such as "text/html, application/xml;q=0.9" names `wanted`. What has the weight 0
// is refused (RFC 9110 §12.4.2).
bool accepts(const Headers& headers, std::string_view name, std::string_view wanted) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!equal_ignoring_case(headers[i].name, name)) continue;
    for (auto rest = headers[i].value; !rest.empty();) {
      const auto element = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(element.size() + 1, rest.size()));
      const auto semicolon = std::min(element.find(';'), element.size());
      if (!equal_ignoring_case(ascii::trimmed(element.substr(0, semicolon)), wanted)) continue;
      auto weight = ascii::trimmed(element.substr(std::min(semicolon + 1, element.size())));
      if (!weight.starts_with("q=")) return true;
      weight.remove_prefix(2);
      return weight.find_first_not_of("0.") != std::string_view::npos;
    }
  }
  return false;
}

std::string etag_of(std::string_view content) {
  constexpr std::size_t kEnough = 32;
  return '"' + to_hex(as_bytes(sha256(content))).substr(0, kEnough) + '"';
}

void add_security(std::vector<Header>& headers) {
  headers.push_back({"Content-Security-Policy", std::string(kContentPolicy)});
  headers.push_back({"Referrer-Policy", "no-referrer"});
  headers.push_back({"Cross-Origin-Opener-Policy", "same-origin"});
  headers.push_back({"Cross-Origin-Resource-Policy", "same-origin"});
  headers.push_back({"X-Frame-Options", "DENY"});
}

// index.html with the prefix where its names are.
std::string page_under(std::string_view html, std::string_view base_path) {
  constexpr std::string_view kRelative = "\"./";
  std::string page;
  while (true) {
    const auto at = html.find(kRelative);
    page.append(html.substr(0, at));
    if (at == std::string_view::npos) return page;
    page.append("\"").append(base_path).append("/");
    html.remove_prefix(at + kRelative.size());
  }
}

}  // namespace

Dashboard::Dashboard(std::span<const EmbeddedFile> files, std::string_view base_path) {
  for (const auto& file : files) {
    if ("/" + std::string(file.name) == kPage) page_ = page_under(file.content, base_path);
  }
  add("index.html", page_);
  for (const auto& file : files) {
    // The page is as the prefix makes it, and so are its compressed forms: it is sent as it is.
    if (!file.name.starts_with("index.html")) add(file.name, file.content);
  }
}

void Dashboard::add(std::string_view name, std::string_view content) {
  std::string_view coding;
  for (const auto& compression : kCompressions) {
    if (!name.ends_with(compression.ending)) continue;
    name.remove_suffix(compression.ending.size());
    coding = compression.coding;
  }
  auto& file = files_["/" + std::string(name)];
  file.content_type = type_of(name);
  file.is_hashed = name.starts_with("assets/");
  if (coding.empty()) file.etag = etag_of(content);
  file.codings.push_back({coding, content});
  std::ranges::sort(file.codings, {}, [](const Coding& each) {
    return std::pair(each.name.empty(), each.content.size());
  });
}

bool Dashboard::is_built_in() const {
  return std::ranges::any_of(files_, [](const auto& entry) { return entry.second.is_hashed; });
}

const Dashboard::File* Dashboard::find(const RequestHead& head) const {
  const auto path = head.path();
  if (const auto found = files_.find(path); found != files_.end()) return &found->second;
  const bool is_page = path == "/" || accepts(head.headers, "Accept", "text/html");
  // Below assets/ is no page: a file of an older build is gone.
  if (!is_page || path.starts_with("/assets/")) return nullptr;
  return &files_.find(kPage)->second;
}

Response Dashboard::answer(const RequestHead& head) const {
  const auto* file = find(head);
  if (file == nullptr) {
    return problem({Reason::not_found, "there is nothing at this path", {}, {}}, head.path());
  }
  Response response;
  response.content_type = file->content_type;
  response.headers.push_back(
      {"Cache-Control", file->is_hashed ? "public, max-age=31536000, immutable" : "no-cache"});
  response.headers.push_back({"ETag", file->etag});
  response.headers.push_back({"Vary", "Accept-Encoding"});
  add_security(response.headers);
  if (head.headers.find("If-None-Match") == file->etag) {
    response.status = 304;
    return response;
  }
  for (const auto& coding : file->codings) {
    if (!coding.name.empty() && !accepts(head.headers, "Accept-Encoding", coding.name)) continue;
    if (!coding.name.empty()) {
      response.headers.push_back({"Content-Encoding", std::string(coding.name)});
    }
    response.body = coding.content;
    break;
  }
  return response;
}

Route dashboard_route(const Dashboard& dashboard) {
  return {Method::get, "/", Access::open(),
          [&dashboard](const Request& request, Reply reply) { reply(dashboard.answer(request)); }};
}

}  // namespace chronos::http
