// The colours that programs write, and nothing else they may write: bold, dim, underline and the sixteen
// colours become classes; every other escape is left out, other control characters are shown as pictures.

interface Piece {
  text: string;
  look: string; // class names
}

// eslint-disable-next-line no-control-regex
const ESCAPE = /\u001b(?:\[([0-9;:?]*)([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])?/g;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g;
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g; // would let a line read otherwise than it is

const PICTURES = 0x2400;

function shown(text: string): string {
  return text
    .replace(CONTROL, (char) => (char === "\u007f" ? "\u2421" : String.fromCharCode(PICTURES + char.charCodeAt(0))))
    .replace(DIRECTION, "\ufffd");
}

interface Look {
  bold: boolean;
  dim: boolean;
  underline: boolean;
  ink: number; // -1 or 0…15
}

const PLAIN: Look = { bold: false, dim: false, underline: false, ink: -1 };

function classesOf({ bold, dim, underline, ink }: Look): string {
  return [bold && "ansi-bold", dim && "ansi-dim", underline && "ansi-underline", ink >= 0 && `ansi-${ink}`].filter(Boolean).join(" ");
}

function applied(look: Look, codes: string): Look {
  const numbers = codes === "" ? [0] : codes.split(/[;:]/).map(Number);
  let next = look;
  for (let index = 0; index < numbers.length; index += 1) {
    const code = numbers[index] ?? 0;
    if (code === 0) next = PLAIN;
    else if (code === 1) next = { ...next, bold: true };
    else if (code === 2) next = { ...next, dim: true };
    else if (code === 4) next = { ...next, underline: true };
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 24) next = { ...next, underline: false };
    else if (code >= 30 && code <= 37) next = { ...next, ink: code - 30 };
    else if (code >= 90 && code <= 97) next = { ...next, ink: code - 90 + 8 };
    else if (code === 39) next = { ...next, ink: -1 };
    else if (code === 38 || code === 48) {
      const kind = numbers[index + 1];
      const colour = numbers[index + 2] ?? -1;
      if (code === 38 && kind === 5 && colour < 16) next = { ...next, ink: colour };
      index += kind === 5 ? 2 : 4;
    }
  }
  return next;
}

/** A line as pieces of one look each. Looks end with their line. */
export function piecesOf(line: string): Piece[] {
  const whole = line.includes("\r") ? line.replace(/\r+$/, "").split("\r").at(-1) ?? "" : line;
  if (!whole.includes("\u001b")) return [{ text: shown(whole), look: "" }];
  const pieces: Piece[] = [];
  let look = PLAIN;
  let from = 0;
  const push = (text: string) => { if (text !== "") pieces.push({ text: shown(text), look: classesOf(look) }); };
  for (const match of whole.matchAll(ESCAPE)) {
    push(whole.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") look = applied(look, match[1] ?? "");
  }
  push(whole.slice(from));
  return pieces;
}

/** What a reader sees of a line: for searching and comparing. */
export const plainText = (line: string): string => piecesOf(line).map(({ text }) => text).join("");
