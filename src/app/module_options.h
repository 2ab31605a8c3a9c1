// What the configuration tells each module. Pure, but for the name of this machine.
#pragma once

#include <string>

#include "app/config.h"
#include "executor/executors.h"
#include "http/api.h"
#include "http/server.h"
#include "net/outbound_policy.h"
#include "notify/channels.h"
#include "scheduler/scheduler.h"

namespace chronos::app {

executor::ExecutorsOptions executor_options(const Config& config, const std::string& server_id,
                                            const net::OutboundPolicy& policy);
notify::NotifyOptions notify_options(const Config& config, const net::OutboundPolicy& policy);
// Of ServerConfig::threads, on a machine with so many processors.
int connection_threads(int asked, unsigned processors);
http::ServerOptions server_options(const Config& config);
http::Site site_of(const Config& config);
scheduler::SchedulerOptions scheduler_options(const Config& config);

}  // namespace chronos::app
