// JSON whose numbers stay what was written. JavaScript rounds 9007199254740993; a payload must not be
// rounded by looking at it. A number that a double would change becomes an ExactNumber with its digits.

class ExactNumber {
  constructor(readonly digits: string) {}
  toString(): string {
    return this.digits;
  }
}

const MARK = "\u0000exact:";
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MAY_NEED_CARE = /\d[\d.]{14}|\d[eE][+-]?\d/;
const SAFE_DIGITS = 15;

function survives(token: string): boolean {
  const significant = token.replace(/[eE].*$/, "").replace(/[-.]/g, "").replace(/^0+/, "");
  const number = Number(token);
  return significant.length <= SAFE_DIGITS && Number.isFinite(number) && (number !== 0 || significant === "");
}

export function parseExact(text: string): unknown {
  if (!MAY_NEED_CARE.test(text)) return JSON.parse(text);
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || survives(token) || String(Number(token)) === token ? token : JSON.stringify(MARK + token),
  );
  return JSON.parse(marked, (_name, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? new ExactNumber(value.slice(MARK.length)) : value,
  );
}

export function stringifyExact(value: unknown, indent?: number): string {
  const text = JSON.stringify(
    value,
    (_name, member: unknown) => (member instanceof ExactNumber ? MARK + member.digits : member),
    indent,
  );
  return text.replace(/"\\u0000exact:([^"]*)"/g, "$1");
}
