// One scheduler does one piece of work: the small contract between compare.py and every driver.
//
//   node drive.mjs NAME about                         what the driver says of itself, one JSON line
//   node drive.mjs NAME '{"workload": "S1", …}'       does it, and prints the figures as one JSON line
//
// NAME is a module of drivers/. It exports `about` and `open(options)`, which answers with the verbs
// that workloads.mjs is written against. The server runs already; options.port says where.
import { fileURLToPath } from "node:url";
import { fail, WORKLOADS } from "./workloads.mjs";

const [name, task] = process.argv.slice(2);
const { about, open } = await import(`./drivers/${name}.mjs`);

if (task === "about") {
  console.log(JSON.stringify(about));
} else {
  const options = JSON.parse(task);
  const peer = { name, drive: fileURLToPath(import.meta.url) };
  try {
    const queue = await open(options);
    const figures = await WORKLOADS[options.workload](queue, options, peer);
    await queue.close();
    console.log(JSON.stringify(figures));
  } catch (error) {
    fail(error);
  }
  process.exit(0); // libraries keep timers
}
