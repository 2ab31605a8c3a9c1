// The kinds of action there are. The launcher starts and stops attempts through it, the service
// checks actions with it. Thread-safe; made and stopped by the daemon.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "executor/command_executor.h"
#include "executor/executor.h"
#include "executor/http_executor.h"

namespace chronos::executor {

struct ExecutorsOptions {
  CommandExecutorOptions command;
  HttpExecutorOptions http;
};

class Executors {
 public:
  // `clock` must outlive this.
  Executors(const Clock& clock, ExecutorsOptions options);

  // Whether the action object `config` of this `kind` can be run, here or by a worker; see
  // Executor::check(). An unknown kind is at fault at "/action/kind".
  Result<void> check(std::string_view kind, const json::Value& config) const;

  // Null if no server runs actions of this kind: there is none, or workers pull it. Lives as long
  // as this.
  Executor* find(std::string_view kind) const;

  // Stops a running attempt, whichever executor runs it. Unknown: ignored.
  void cancel(RunId run, int attempt);

  // Stops every executor; all outcomes have been told when it returns.
  void stop();

 private:
  std::map<std::string, std::unique_ptr<Executor>, std::less<>> executors_;  // by kind
};

}  // namespace chronos::executor
