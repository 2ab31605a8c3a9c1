// A client of a Chronos server: submit jobs, and work on those that wait in queues. No dependencies.
export { Client } from './client.js';
export { ChronosError } from './errors.js';
export { Worker } from './worker.js';
