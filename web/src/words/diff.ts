// What differs between two texts, line by line (the shortest edit, by Myers's greedy algorithm); and between
// two JSON values, written out.
import { stringifyExact } from "../api/exact_json";

export interface DiffLine {
  kind: "same" | "gone" | "new";
  text: string;
}

/** Lines compared of each side. */
export const LONGEST = 4_000;
const EDITS_MAX = 1_200; // beyond that the two have little in common: shown one after the other

function trace(a: readonly string[], b: readonly string[]): Map<number, number>[] | null {
  const furthest = new Map<number, number>([[1, 0]]);
  const steps: Map<number, number>[] = [];
  for (let edits = 0; edits <= Math.min(EDITS_MAX, a.length + b.length); edits += 1) {
    steps.push(new Map(furthest));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) return steps;
    }
  }
  return null;
}

export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const a = before.slice(0, LONGEST);
  const b = after.slice(0, LONGEST);
  const steps = trace(a, b);
  if (!steps) return [...a.map((text) => ({ kind: "gone" as const, text })), ...b.map((text) => ({ kind: "new" as const, text }))];
  const lines: DiffLine[] = [];
  let x = a.length;
  let y = b.length;
  for (let edits = steps.length - 1; edits >= 0; edits -= 1) {
    const furthest = steps[edits];
    const k = x - y;
    const down = k === -edits || (k !== edits && (furthest?.get(k - 1) ?? -1) < (furthest?.get(k + 1) ?? -1));
    const fromK = down ? k + 1 : k - 1;
    const fromX = edits === 0 ? 0 : (furthest?.get(fromK) ?? 0);
    const fromY = edits === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      lines.push({ kind: "same", text: a[x - 1] ?? "" });
      x -= 1;
      y -= 1;
    }
    if (edits === 0) break;
    if (down) lines.push({ kind: "new", text: b[(y -= 1)] ?? "" });
    else lines.push({ kind: "gone", text: a[(x -= 1)] ?? "" });
  }
  return lines.reverse();
}

/** Leaves out long stretches of what is equal. */
export function shortened(lines: readonly DiffLine[], around = 2): (DiffLine | { kind: "gap"; text: string })[] {
  const near = lines.map((_line, index) => lines.slice(Math.max(0, index - around), index + around + 1).some(({ kind }) => kind !== "same"));
  const out: (DiffLine | { kind: "gap"; text: string })[] = [];
  let hidden = 0;
  lines.forEach((line, index) => {
    if (!near[index]) {
      hidden += 1;
      return;
    }
    if (hidden > 0) out.push({ kind: "gap", text: `${hidden} equal lines` });
    hidden = 0;
    out.push(line);
  });
  if (hidden > 0) out.push({ kind: "gap", text: `${hidden} equal lines` });
  return out;
}

/** A JSON value as lines; none for null. */
export const jsonLines = (value: unknown): string[] => (value === undefined || value === null ? [] : stringifyExact(value, 2).split("\n"));
