// A page of a search comes of a bounded number of looks on the server: it may hold less than was asked for, or
// nothing, though there is more. So it is read on here, within bounds too.

const PAGES_MAX = 10;

/**
 * The page at `path` with what the pages after it hold in `field`, until there are as many as its limit asks for.
 * Its `next` is null only when all was looked at. `partly` is given what there is so far.
 */
export async function readOn<T extends { next: string | null }>(
  path: string, field: keyof T, readPage: (path: string) => Promise<T>, partly: (page: T) => void,
): Promise<T> {
  const [address, text] = path.split("?", 2);
  const query = new URLSearchParams(text);
  const limit = Number(query.get("limit"));
  const rowsOf = (page: T) => page[field] as unknown[];
  let page = await readPage(path);
  for (let pages = 1; pages < PAGES_MAX && page.next !== null && rowsOf(page).length < limit; pages += 1) {
    partly(page);
    query.set("cursor", page.next);
    query.set("limit", String(limit - rowsOf(page).length));
    const more = await readPage(`${address}?${query.toString()}`);
    page = { ...more, [field]: [...rowsOf(page), ...rowsOf(more)] };
  }
  return page;
}
