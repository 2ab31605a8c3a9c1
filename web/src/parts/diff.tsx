import { useMemo } from "preact/hooks";
import { exactText } from "../words/count";
import { diffLines, jsonLines, LONGEST, shortened } from "../words/diff";

const SIGN: Record<string, string> = { same: " ", gone: "−", new: "+", gap: "⋯" };

export function Diff({ before, after, label }: { before: readonly string[]; after: readonly string[]; label: string }) {
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  const cut = Math.max(before.length, after.length) > LONGEST;
  const same = lines.every(({ kind }) => kind === "same");
  return (
    <>
      {cut && <p class="warn-text small" role="note">Only the first {exactText(LONGEST)} lines of each were compared: there are {exactText(before.length)} before and {exactText(after.length)} after.</p>}
      {same ? <p class="soft">{cut ? "No difference in these." : "No difference."}</p> : (
        <pre class="diff" tabIndex={0} aria-label={label}>
          {shortened(lines).map((line, index) => (
            <div key={index} class={`diff-${line.kind}`}><span aria-hidden="true">{SIGN[line.kind]} </span>{line.text}</div>
          ))}
        </pre>
      )}
    </>
  );
}

export function JsonDiff({ before, after, label }: { before: unknown; after: unknown; label: string }) {
  const [was, is] = useMemo(() => [jsonLines(before), jsonLines(after)] as const, [before, after]);
  return <Diff before={was} after={is} label={label} />;
}
