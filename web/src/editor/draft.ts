// What was written in the editor and is not saved: kept in this tab, so that a session that ends takes nothing away.
import { currentPlace } from "../app/router";
import { session } from "../app/session";

interface Draft {
  /** The key that wrote it: it is nobody else's. */
  by: string;
  /** Of the job that it changes; 0 for a new one. */
  version: number;
  text: string;
}

const STORED_AS = "chronos.draft ";

const writer = (): string => (session.value.state === "in" ? session.value.me.key.id : "");

/** The address of the editor: each has a draft of its own. */
export const draftPlace = (): string => `${STORED_AS}${currentPlace().path}?${currentPlace().query.toString()}`;

export function draftAt(place: string): Draft | null {
  try {
    const draft = JSON.parse(sessionStorage.getItem(place) ?? "null") as Draft | null;
    return draft?.by === writer() ? draft : null;
  } catch {
    return null;
  }
}

export function keepDraft(place: string, version: number, text: string): void {
  try {
    sessionStorage.setItem(place, JSON.stringify({ by: writer(), version, text } satisfies Draft));
  } catch {
    // the browser keeps nothing, or no more
  }
}

export const dropDraft = (place: string): void => sessionStorage.removeItem(place);

/** Who logs out leaves nothing behind. */
export function dropDrafts(): void {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(STORED_AS)) sessionStorage.removeItem(name);
}
