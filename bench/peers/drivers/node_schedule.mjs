// node-schedule: timers of one process, nothing on a disk. It has no workers and acknowledges nothing,
// so only lateness can be compared.
import schedule from "node-schedule";

export const about = {
  title: "node-schedule",
  rows: ["T1", "T2"],
  packages: ["node-schedule"],
  settings: { T1: "scheduleJob(Date)", T2: "scheduleJob(Date)" },
  documented: "its README: Date-based Scheduling",
};

export async function open() {
  let onJob;
  return {
    async submitAt(jobs) {
      for (const { payload, at } of jobs) schedule.scheduleJob(new Date(at), () => onJob(payload));
    },
    async work(onStart) {
      onJob = onStart;
    },
    close: () => schedule.gracefulShutdown(),
  };
}
