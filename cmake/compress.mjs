// Compresses the files of a folder for good: name.gz and name.br beside each name, where that is shorter.
// The server sends them as they are. Fails when the scripts are more than a browser should have to load.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const SCRIPTS_MAX = 150 * 1024; // bytes over the wire, by gzip: all scripts of the page together
const folder = process.argv[2];

function filesIn(place) {
  return readdirSync(place, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(place, entry.name)) : [join(place, entry.name)],
  );
}

let scripts = 0;
for (const name of filesIn(folder)) {
  if (/\.(gz|br|woff2|png)$/.test(name)) continue;
  const bytes = readFileSync(name);
  const gzip = gzipSync(bytes, { level: 9 });
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  if (gzip.length < bytes.length) writeFileSync(`${name}.gz`, gzip);
  if (brotli.length < Math.min(gzip.length, bytes.length)) writeFileSync(`${name}.br`, brotli);
  if (name.endsWith(".js")) scripts += gzip.length;
}
if (scripts > SCRIPTS_MAX) {
  console.error(`the dashboard's scripts are ${scripts} bytes over the wire, at most ${SCRIPTS_MAX}`);
  process.exit(1);
}
