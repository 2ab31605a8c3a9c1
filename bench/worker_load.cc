// Load by remote workers (docs/workers.md) and by submitters beside them, all on one thread. A
// worker reports what it has and claims more in one request; with nothing in its hands it waits in
// a claim. Jobs are numbered, so that one that is given twice is seen. A run begins when the answer
// that brings it is complete. Prints one JSON line.
//
//   worker_load PORT KEY lifecycles WORKERS SUBMITTERS BATCH JOBS
//     jobs submitted, claimed and settled at the same time, until each outcome was answered "ok"
//   worker_load PORT KEY lateness WORKERS BATCH JOBS SECONDS
//     of jobs that are due evenly over that time; at one instant, if it is 0
//   worker_load PORT KEY pickup JOBS FOLDER
//     of a job for now by a worker that waits, from the sending of its submit: one after another,
//     and before each an fdatasync of 4 KiB appended in FOLDER
#include <fcntl.h>
#include <fmt/chrono.h>
#include <sys/epoll.h>

#include <algorithm>
#include <deque>
#include <iostream>
#include <iterator>

#include "keep_alive.h"

namespace {

using bench::Clock;
using Wall = std::chrono::system_clock;
using std::chrono::milliseconds;

constexpr std::size_t kIdLength = 30;
constexpr auto kPatience = std::chrono::seconds(30);  // while nothing is submitted or begun
constexpr std::string_view kWaiting = R"(,"wait":"10s")";

[[noreturn]] void fail(std::string_view text) {
  std::cerr << text << '\n';
  std::exit(1);
}

double to_ms(auto duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// The number behind `name` in `text`, at or after `from`.
long number_after(std::string_view text, std::string_view name, std::size_t from) {
  const auto at = text.find(name, from);
  long number = -1;
  if (at != std::string_view::npos) {
    const auto digits = std::min(text.find_first_not_of(' ', at + name.size()), text.size());
    std::from_chars(text.data() + digits, text.data() + text.size(), number);
  }
  if (number < 0) fail(fmt::format("no {} in {}", name, text.substr(from, 500)));
  return number;
}

struct Job {
  Wall::time_point due;  // none: now
  Wall::time_point begun;
};

struct Client {
  bench::Connection connection;
  bool is_worker = false;
  bool is_answered = true;
  std::string answer;  // the last
  std::string id;      // of a worker, once it has one
  long settling = 0;   // outcomes in its request under way
};

class Load {
 public:
  Load(int port, std::string_view key, long batch, long count)
      : jobs(static_cast<std::size_t>(count)), port_(port), key_(key), batch_(batch) {}

  void add_workers(long count) {
    for (; count > 0; --count) claim(add(true));
  }
  Client& add_submitter() { return add(false); }

  // The next batch of the jobs that are not submitted yet; none of them, and nothing is sent.
  void submit_batch(Client& client) {
    std::string lines;
    const auto end = std::min(submitted_ + batch_, std::ssize(jobs));
    while (submitted_ < end) append_job(lines);
    if (!lines.empty()) send(client, bench::post("/api/jobs/batch", key_, "x-ndjson", lines));
  }
  void submit_one(Client& client) {
    std::string job;
    append_job(job);
    send(client, bench::post("/api/submitJob", key_, "json", job));
  }

  // Until a worker waits in its claim.
  void wait_for_poll(Client& client) {
    const auto look = fmt::format(
        "GET /api/workers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", key_);
    do {
      send(client, look);
      while (!client.is_answered) step();
    } while (!client.answer.contains(R"("polling":true)"));
  }

  // What has come in. Workers go on.
  void step() {
    epoll_event events[256];
    const int count = epoll_wait(poll_, events, 256, 1000);
    for (int i = 0; i < count; ++i) {
      auto& client = *static_cast<Client*>(events[i].data.ptr);
      if (bench::receive(client.connection) > 0) answered(client);
    }
    if (Clock::now() - advanced_at_ > kPatience) {
      fail(fmt::format("{} of {} jobs were settled, and nothing goes on", settled, jobs.size()));
    }
  }

  std::vector<Job> jobs;
  long settled = 0, twice = 0;
  Clock::time_point last_begun_at;

 private:
  Client& add(bool is_worker) {
    auto& client = clients_.emplace_back();
    client.is_worker = is_worker;
    client.connection.fd = bench::dial(port_);
    epoll_event event{EPOLLIN, {.ptr = &client}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, client.connection.fd, &event);
    return client;
  }
  void send(Client& client, const std::string& request) {
    client.is_answered = false;
    bench::send_all(client.connection, request);
  }

  void append_job(std::string& lines) {
    const auto due = jobs.at(static_cast<std::size_t>(submitted_)).due;
    const auto out = std::back_inserter(lines);
    fmt::format_to(out, R"({{"name":"pulled","action":{{"kind":"worker"}},)");
    if (due != Wall::time_point()) {
      const auto ms = std::chrono::floor<milliseconds>(due).time_since_epoch().count();
      fmt::format_to(out, R"("scheduled_time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z",)", fmt::gmtime(due),
                     ms % 1000);
    }
    fmt::format_to(out, R"("payload":{{"number":{},"text":"{:x<180}"}}}})", submitted_++, "");
    lines += '\n';
  }

  void claim(Client& worker) {
    const auto who = worker.id.empty() ? std::string(R"("worker":"bench")")
                                       : fmt::format(R"("worker_id":"{}")", worker.id);
    send(worker, bench::post("/api/workers/claim", key_, "json",
                             fmt::format(R"({{{},"max":{}{}}})", who, batch_, kWaiting)));
  }
  // The claim after outcomes does not wait: so they are answered at once.
  void settle(Client& worker, std::string_view outcomes) {
    send(worker,
         bench::post("/api/workers/settle", key_, "json",
                     fmt::format(R"({{"worker_id":"{}","outcomes":[{}],"claim":{{"max":{}}}}})",
                                 worker.id, outcomes, batch_)));
  }

  void answered(Client& client) {
    const auto now = Wall::now();
    const auto steady = Clock::now();
    std::swap(client.answer, client.connection.in);
    client.connection.in.clear();
    client.is_answered = true;
    const std::string_view answer = client.answer;
    if (!answer.substr(9).starts_with('2')) fail(answer.substr(0, 1000));
    if (!client.is_worker) return submitted(answer);
    take_settled(client);
    if (client.id.empty()) client.id = answer.substr(answer.find("wrk_"), kIdLength);
    const auto outcomes = begin_runs(client, now);
    if (client.settling == 0) return claim(client);
    last_begun_at = advanced_at_ = steady;
    settle(client, outcomes);
  }

  void submitted(std::string_view answer) {
    const bool is_batch = answer.contains(R"({"results":[)");
    if (is_batch && !answer.ends_with(R"("failed":0})")) fail(answer.substr(0, 1000));
    advanced_at_ = Clock::now();
  }

  void take_settled(Client& worker) {
    static constexpr std::string_view kList = R"({"outcomes":[)", kOk = R"("ok")";
    const std::string_view answer = worker.answer;
    for (auto at = answer.find(kList) + kList.size(); worker.settling > 0; at += kOk.size() + 1) {
      if (answer.substr(at, kOk.size()) != kOk) fail(answer.substr(0, 1000));
      --worker.settling;
      ++settled;
    }
  }

  // The outcomes of the runs that the answer brings.
  std::string begin_runs(Client& worker, Wall::time_point now) {
    static constexpr std::string_view kRun = R"({"id":"run_)", kId = R"({"id":")";
    const std::string_view answer = worker.answer;
    std::string outcomes;
    for (auto at = answer.find(kRun); at != answer.npos; at = answer.find(kRun, at + 1)) {
      begin_job(number_after(answer, R"("payload":{"number":)", at), now);
      fmt::format_to(std::back_inserter(outcomes),
                     R"({}{{"run":"{}","token":{},"outcome":"succeeded"}})",
                     outcomes.empty() ? "" : ",", answer.substr(at + kId.size(), kIdLength),
                     number_after(answer, R"("token":)", at));
      ++worker.settling;
    }
    return outcomes;
  }
  void begin_job(long number, Wall::time_point now) {
    auto& begun = jobs.at(static_cast<std::size_t>(number)).begun;
    begun == Wall::time_point() ? void(begun = now) : void(++twice);
  }

  int port_;
  std::string key_;
  long batch_;
  const int poll_ = epoll_create1(EPOLL_CLOEXEC);
  std::deque<Client> clients_;
  long submitted_ = 0;
  Clock::time_point advanced_at_ = Clock::now();
};

void print(const Load& load, const std::string& figures) {
  std::cout << fmt::format("{{\"jobs\":{},\"settled\":{},\"twice\":{},{}}}\n", load.jobs.size(),
                           load.settled, load.twice, figures);
}

std::string percentiles(std::vector<double>& ms, std::string_view prefix = "") {
  std::ranges::sort(ms);
  return fmt::format("\"{0}p50_ms\":{1:.3f},\"{0}p99_ms\":{2:.3f},\"{0}max_ms\":{3:.3f}", prefix,
                     bench::percentile(ms, 0.5), bench::percentile(ms, 0.99), ms.back());
}

void lifecycles(Load& load, long workers, long submitters) {
  std::vector<Client*> callers;
  for (; submitters > 0; --submitters) callers.push_back(&load.add_submitter());
  const auto begun = Clock::now();
  load.add_workers(workers);
  while (load.settled < std::ssize(load.jobs)) {
    for (auto* caller : callers) {
      if (caller->is_answered) load.submit_batch(*caller);
    }
    load.step();
  }
  print(load, fmt::format("\"rate\":{:.0f}", static_cast<double>(load.settled) * 1000 /
                                                 bench::milliseconds_since(begun)));
}

void lateness(Load& load, long workers, long seconds) {
  const auto count = std::ssize(load.jobs);
  const auto lead = std::chrono::seconds(2) + milliseconds(count);  // time to submit them all
  const auto first = std::chrono::floor<milliseconds>(Wall::now() + lead);
  for (long i = 0; i < count; ++i) {
    load.jobs[static_cast<std::size_t>(i)].due = first + milliseconds(i * seconds * 1000 / count);
  }
  auto& caller = load.add_submitter();
  for (load.submit_batch(caller); !caller.is_answered;) {
    load.step();
    if (caller.is_answered) load.submit_batch(caller);
  }
  if (Wall::now() > first) fail("the machine is too busy: jobs were due before all were submitted");
  load.add_workers(workers);
  while (load.settled < count) load.step();
  std::vector<double> late;
  for (const auto& job : load.jobs) late.push_back(to_ms(job.begun - job.due));
  const auto early = std::ranges::count_if(late, [](double ms) { return ms < 0; });
  print(load, fmt::format("\"early\":{},{}", early, percentiles(late)));
}

// Milliseconds that fdatasync of 4 KiB more in the file takes.
double sync_ms(int file) {
  const std::string page(4096, 'x');
  const auto begun = Clock::now();
  if (write(file, page.data(), page.size()) < 0 || fdatasync(file) != 0) fail("cannot write");
  return bench::milliseconds_since(begun);
}

void pickup(Load& load, const std::string& folder) {
  const auto path = folder + "/worker_load.sync";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  unlink(path.c_str());
  auto& caller = load.add_submitter();
  load.add_workers(1);
  std::vector<double> took, syncs;
  while (load.settled < std::ssize(load.jobs)) {
    load.wait_for_poll(caller);
    syncs.push_back(sync_ms(file));
    const auto next = load.settled + 1;
    load.submit_one(caller);
    const auto sent_at = caller.connection.sent_at;
    while (load.settled < next || !caller.is_answered) load.step();
    took.push_back(to_ms(load.last_begun_at - sent_at));
  }
  print(load, percentiles(took) + "," + percentiles(syncs, "fdatasync_"));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 3 ? argv[3] : "";
  const auto number = [&](int i) { return std::atol(argv[i]); };
  if (what == "lifecycles" && argc == 8) {
    Load load(std::atoi(argv[1]), argv[2], number(6), number(7));
    lifecycles(load, number(4), number(5));
  } else if (what == "lateness" && argc == 8) {
    Load load(std::atoi(argv[1]), argv[2], number(5), number(6));
    lateness(load, number(4), number(7));
  } else if (what == "pickup" && argc == 6) {
    Load load(std::atoi(argv[1]), argv[2], 1, number(4));
    pickup(load, argv[5]);
  } else {
    std::cerr << "usage: worker_load PORT KEY lifecycles WORKERS SUBMITTERS BATCH JOBS\n"
                 "                            lateness WORKERS BATCH JOBS SECONDS\n"
                 "                            pickup JOBS FOLDER\n";
    return 2;
  }
}
