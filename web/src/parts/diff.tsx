import { type DiffLine, diffLines, jsonLines, shortened } from "../words/diff";

const SIGN: Record<string, string> = { same: " ", gone: "−", new: "+", gap: "⋯" };

export function Diff({ lines, label }: { lines: readonly DiffLine[]; label: string }) {
  if (lines.every(({ kind }) => kind === "same")) return <p class="soft">No difference.</p>;
  return (
    <pre class="diff" tabIndex={0} aria-label={label}>
      {shortened(lines).map((line, index) => (
        <div key={index} class={`diff-${line.kind}`}><span aria-hidden="true">{SIGN[line.kind]} </span>{line.text}</div>
      ))}
    </pre>
  );
}

export function JsonDiff({ before, after, label }: { before: unknown; after: unknown; label: string }) {
  return <Diff lines={diffLines(jsonLines(before), jsonLines(after))} label={label} />;
}
