// What may stand at a place of a declaration: read from the schema that the server publishes.

interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: string[];
  const?: string;
  default?: unknown;
}

export interface Document {
  components: { schemas: Record<string, Schema> };
}

export interface Suggestion {
  text: string;
  what: string;
  /** What it takes the place of: from here to the cursor. */
  from: number;
}

interface Spot {
  path: string[];
  inKey: boolean;
  from: number;
  typed: string;
}

/** Where the cursor is: the names above it, and whether a name or a value is being written. */
function spotAt(text: string, cursor: number): Spot | null {
  const stack: { kind: "object" | "array"; name: string }[] = [];
  let name = "";
  let wantsKey = false;
  for (let at = 0; at < cursor; at += 1) {
    const char = text[at];
    if (char === '"') {
      const began = at;
      for (at += 1; at < cursor && text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
      if (at >= cursor) {
        const path = stack.slice(1).map((one) => one.name);
        return { path: wantsKey ? [...path] : [...path, name], inKey: wantsKey, from: began, typed: text.slice(began + 1, cursor) };
      }
      if (wantsKey) name = text.slice(began + 1, at);
    } else if (char === "{" || char === "[") {
      stack.push({ kind: char === "{" ? "object" : "array", name });
      wantsKey = char === "{";
      if (char === "[") name = "0";
    } else if (char === "}" || char === "]") {
      stack.pop();
      wantsKey = false;
    } else if (char === ":") wantsKey = false;
    else if (char === ",") {
      wantsKey = stack.at(-1)?.kind === "object";
      if (!wantsKey) name = "0";
    }
  }
  if (!wantsKey || stack.length === 0) return null;
  return { path: stack.slice(1).map((one) => one.name), inKey: true, from: cursor, typed: "" };
}

function resolved(schema: Schema | undefined, { components }: Document): Schema[] {
  if (!schema) return [];
  if (schema.$ref) return resolved(components.schemas[schema.$ref.split("/").at(-1) ?? ""], { components });
  const choices = schema.anyOf ?? schema.oneOf;
  return choices ? choices.flatMap((one) => resolved(one, { components })) : [schema];
}

function schemasAt(path: readonly string[], root: string, document: Document): Schema[] {
  let here = resolved(document.components.schemas[root], document);
  for (const name of path) here = here.flatMap((schema) => resolved(schema.properties?.[name] ?? schema.items, document));
  return here;
}

export function suggestionsAt(text: string, cursor: number, root: string, document: Document): Suggestion[] {
  const spot = spotAt(text, cursor);
  if (!spot) return [];
  const schemas = schemasAt(spot.path, root, document);
  const found = new Map<string, string>();
  for (const schema of schemas) {
    if (spot.inKey) for (const [name, of_] of Object.entries(schema.properties ?? {})) found.set(name, of_.description ?? "");
    else for (const value of [...(schema.enum ?? []), ...(schema.const === undefined ? [] : [schema.const])]) found.set(value, schema.description ?? "");
  }
  return [...found]
    .filter(([name]) => name.startsWith(spot.typed) && name !== spot.typed && name !== "api_key")
    .map(([name, what]) => ({ text: spot.inKey ? `"${name}": ` : `"${name}"`, what, from: spot.from }));
}
