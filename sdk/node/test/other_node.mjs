// The tests of the client on the other of the two versions of Node it is made for: 18 where 20 or a newer one
// runs this, else 20. It comes from npm's package `node`, into the folder that is named, once.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const version = Number(process.versions.node.split('.')[0]) >= 20 ? '18.20.8' : '20.19.5';
const folder = path.resolve(process.argv[2], version);
const node = path.join(folder, 'node_modules/.bin/node');
const tests = path.join(path.dirname(fileURLToPath(import.meta.url)), 'worker.test.js');

function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', cwd: folder });
  if (status !== 0) throw error ?? new Error(`${program} ended with ${status}`);
}

mkdirSync(folder, { recursive: true });
if (!existsSync(node)) {
  run('npm', 'install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `node@${version}`);
}
run(node, '--version');
run(node, '--test', tests);
