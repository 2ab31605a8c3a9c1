// What a server refused, or that it could not be reached.

export class ChronosError extends Error {
  /**
   * @param {string} message
   * @param {{status?: number, code?: string, errors?: object[], hint?: string, cause?: unknown}} [facts]
   */
  constructor(message, { status = 0, code = 'unreachable', errors = [], hint = '', cause } = {}) {
    super(message, { cause });
    this.name = 'ChronosError';
    this.status = status; // of the answer; 0 when there was none
    this.code = code; // of the closed list in docs/errors.md, "unreachable", or "listener"
    this.errors = errors; // [{pointer, code, detail, …}] of bad input
    this.hint = hint;
  }

  /** Whether the same request may succeed later. */
  get isTemporary() {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

/** The error in an answer that is no success (RFC 9457). */
export function errorOf(status, body) {
  let problem = {};
  try {
    problem = JSON.parse(body);
  } catch {
    // Not from Chronos: a proxy, perhaps. The status has to do.
  }
  const text = problem.detail || problem.title || `the server answered ${status}`;
  const first = problem.errors?.[0];
  const where = first ? ` (${first.pointer}: ${first.detail})` : '';
  return new ChronosError(text + where, {
    status,
    code: problem.code ?? 'bad_answer',
    errors: problem.errors ?? [],
    hint: problem.hint ?? '',
  });
}
