// Is a declaration good? Asked of the server without storing anything: a declaration is looked at before
// the version it was meant for (docs/errors.md has the order), and no version is "0". So 412 means: good.
import { Problem, request } from "../api/http";
import type { JobSpec } from "../api/types";

const NO_VERSION = '"0"';
const UNUSED_KEY = "dashboard-dry-run";

export async function check(spec: JobSpec, job: string | null, signal: AbortSignal): Promise<Problem | null> {
  const { key: _key, ...rest } = spec;
  try {
    if (job === null) await request("PUT", `/api/jobs/by-key/${UNUSED_KEY}`, { body: rest, ifMatch: NO_VERSION, signal });
    else await request("PATCH", `/api/jobs/${job}`, { body: spec, ifMatch: NO_VERSION, signal });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.status === 412 ? null : error;
  }
  return null;
}
