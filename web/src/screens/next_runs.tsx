// The next instants of a schedule: in the job's zone, in the reader's, and how far away.
import type { Preview } from "../api/types";
import { Notice } from "../parts/feedback";
import { Relative } from "../parts/time";
import { instantText, isZone, LOCAL_ZONE } from "../words/time";

const GAPS_MAX = 3;

export function NextRuns({ preview }: { preview: Preview }) {
  const zone = isZone(preview.timezone) ? preview.timezone : "UTC";
  const twoZones = zone !== LOCAL_ZONE;
  if (preview.next.length === 0) return <Notice tone="warn" title="It never runs">No instant of it lies ahead.</Notice>;
  return (
    <div class="stack tight">
      <h3>Next {preview.next.length} runs</h3>
      <ol class="next-runs">
        {preview.next.map((occurrence) => (
          <li key={occurrence.at}>
            <span class="number">{instantText(Date.parse(occurrence.at), zone)}</span>
            <span class="soft small"><Relative at={occurrence.at} kind="future" zone={zone} /></span>
            {twoZones && <span class="soft small number">{instantText(Date.parse(occurrence.at))} here</span>}
            {occurrence.shifted && <span class="small warn-text">clock change: {occurrence.shifted}</span>}
          </li>
        ))}
      </ol>
      {preview.excluded.slice(0, GAPS_MAX).map((gap) => (
        <p key={gap.from.at} class="small soft">Not from {gap.from.local} through {gap.through.local}: calendar {gap.calendar}.</p>
      ))}
      {twoZones && <p class="small soft">Times of {preview.timezone}; yours is {LOCAL_ZONE}.</p>}
    </div>
  );
}
