// Chronos against croner and cron-parser: seeded expressions, zones and instants, asked of all three.
//
//   node compare.mjs path/to/chronos [seed]
//
// CHRONOS_DIFFERENTIAL_CASES says how many (2000). Differences are explained by rules.mjs, or fail.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { questions } from "./generate.mjs";
import { RULES } from "./rules.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const SHOWN_MAX = 20;

function installLibraries() {
  if (existsSync(`${HERE}node_modules/croner`) && existsSync(`${HERE}node_modules/cron-parser`)) return;
  const done = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: HERE, stdio: "inherit" });
  if (done.status !== 0) throw new Error("the libraries to compare with could not be installed: npm ci failed");
}

function askChronos(binary, asked) {
  if (asked.length === 0) return [];
  const input = asked.map((question) => `${JSON.stringify(question)}\n`).join("");
  const done = spawnSync(binary, ["cron", "--batch"], { input, encoding: "utf8", maxBuffer: 1 << 30 });
  if (done.status !== 0) throw new Error(`chronos cron --batch ended with ${done.status}: ${done.stderr}`);
  const answers = done.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  if (answers.length !== asked.length) throw new Error(`${asked.length} questions, ${answers.length} answers`);
  return answers;
}

// What a library answered otherwise than Chronos.
function differencesOf(library, asked, answers) {
  const found = [];
  asked.forEach((question, index) => {
    const theirs = library(question);
    const ours = answers[index];
    if (!theirs.error && ours.next && ours.next.join() === theirs.times.join()) return;
    found.push({ question, ours, theirs });
  });
  return found;
}

// The rule that explains each difference; null if none does.
function explain(binary, name, differences) {
  const explained = new Array(differences.length).fill(null);
  for (const rule of RULES.filter((one) => one.libraries.includes(name))) {
    const open = differences.map((_, index) => index).filter((index) => explained[index] === null && differences[index].ours.next);
    if (rule.explains) {
      for (const index of open) if (rule.explains(differences[index])) explained[index] = rule;
      continue;
    }
    // One question for the differences whose expression the rule rewrites.
    const changed = open.filter((index) => rule.rewritten(differences[index].question) !== differences[index].question.expr);
    const answers = askChronos(binary, changed.map((index) => {
      const { question } = differences[index];
      return { ...question, expr: rule.rewritten(question) };
    }));
    changed.forEach((index, i) => {
      const { theirs } = differences[index];
      if (!theirs.error && answers[i].next?.join() === theirs.times.join()) explained[index] = rule;
      // Else a later rule may explain the rest.
      else differences[index] = { ...differences[index], ours: answers[i] };
    });
  }
  return explained;
}

function report(name, asked, differences, explained) {
  console.log(`${name}: ${asked.length - differences.length} of ${asked.length} the same`);
  for (const rule of RULES) {
    const count = explained.filter((one) => one === rule).length;
    if (count > 0) console.log(`  ${String(count).padStart(5)}  ${rule.name}: ${rule.reason}`);
  }
  const unknown = differences.filter((_, index) => explained[index] === null);
  for (const { question, ours, theirs } of unknown.slice(0, SHOWN_MAX)) {
    console.log(`  not explained: '${question.expr}' in ${question.tz} after ${question.from}`);
    console.log(`    chronos: ${ours.next?.join(" ") ?? JSON.stringify(ours.error)}`);
    console.log(`    ${name}: ${theirs.times.join(" ")} ${theirs.error ?? ""}`);
  }
  if (unknown.length > 0) console.log(`  ${unknown.length} differences are not explained`);
  return unknown.length;
}

async function main() {
  const binary = process.argv[2];
  if (!binary) throw new Error("usage: node compare.mjs path/to/chronos [seed]");
  installLibraries();
  const { LIBRARIES } = await import("./libraries.mjs");
  const seed = Number(process.argv[3] ?? 20261105);
  const asked = questions(seed, Number(process.env.CHRONOS_DIFFERENTIAL_CASES ?? 2000));
  console.log(`seed ${seed}, ${asked.length} questions of four instants each, node ${process.version}`);
  const answers = askChronos(binary, asked);
  let unknown = 0;
  for (const [name, library] of Object.entries(LIBRARIES)) {
    const differences = differencesOf(library, asked, answers);
    unknown += report(name, asked, differences, explain(binary, name, differences));
    if (differences.length * 2 > asked.length) throw new Error(`more differs from ${name} than not`);
  }
  return unknown === 0 ? 0 : 1;
}

process.exitCode = await main();
