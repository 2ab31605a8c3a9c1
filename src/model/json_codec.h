// The field tables of everything the API and the store write as JSON. THE place where a field of a
// job gets its name, its check and its text. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/access.h"
#include "model/job.h"
#include "model/notification.h"
#include "model/run.h"
#include "model/why.h"

namespace chronos {

// What the server's configuration says about declarations.
struct SpecRules {
  std::size_t payload_max = 256uz * 1024;  // bytes
  std::size_t tags_max = 64;
  Retention retention;  // what a new job does not say of its own
};

enum class SpecUse {
  submit,      // the declaration of a new job: name and action are required
  reschedule,  // PUT: one of scheduled_time, cron, every is required and replaces the whole
               // schedule
  patch,       // PATCH: what is absent stays as it is
};

// Reads a declaration into `spec` (for submit: a default one; else the job's own). Names listed in
// `ignored` are skipped. Fails with every problem found, each with its JSON pointer. Does not check
// what other modules know: the schedule's text and the action's own members.
Result<void> read_spec(const json::Value& root, SpecUse use, const SpecRules& rules, JobSpec& spec,
                       std::span<const std::string_view> ignored = {});

// A job as every route answers it. `warnings` may be empty.
void write_job(json::Writer& writer, const Job& job, std::string_view project,
               const std::vector<FieldError>& warnings = {});
// The declaration as a job has it, into an object that is open.
void write_spec_members(json::Writer& writer, const JobSpec& spec);
void write_run(json::Writer& writer, const Run& run);
// The members of an explanation, into an object that is open.
void write_why_members(json::Writer& writer, const Explanation& why);
void write_key(json::Writer& writer, const Key& key);
void write_project(json::Writer& writer, const Project& project);

// For the store: the declaration without its payload, and back. What is as in JobSpec{} is left
// out, for that is most of it; so a default is part of what is stored, and changing one is a
// migration.
std::string encode_spec(const JobSpec& spec);
Result<JobSpec> decode_spec(std::string_view text);
std::string encode_message(const Message& message);
Result<Message> decode_message(std::string_view text);

// Names in the tables, for the contract test against api/openapi.yaml.
std::vector<std::string_view> spec_field_names();  // what a submit accepts
std::vector<std::string_view> unsupported_field_names();

}  // namespace chronos
