// How a job is answered: by the routes of jobs, and by others that answer with one. Private to
// http/.
#pragma once

#include <vector>

#include "http/call.h"
#include "service/jobs.h"

namespace chronos::http {

Response job_response(int status, const Job& job, const service::Principal& who,
                      const std::vector<FieldError>& warnings = {});
service::Done<service::JobReply> answer_job(Ending& end);

}  // namespace chronos::http
