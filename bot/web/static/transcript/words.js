// The text of a line and its words, in both directions.

/** Codes of languages written without spaces between words. */
export const UNSPACED = ["zh", "ja", "th", "km", "lo", "my", "bo", "yue"];
const LEFTWARD = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const LETTER = /\p{L}/u;
const RIGHT_TO_LEFT = ["iw", "he", "ar", "ur", "fa", "sd", "yi", "ps"];
const OPENING = /^[\p{Ps}\p{Pi}¿¡]+$/u;

/** Where the words of a line stand in its text: `[from, to]`; null for one that is not there. */
export function spans({ text, words }) {
  let at = 0;
  return words.map(([, , word]) => {
    const from = text.indexOf(word, at);
    if (from < 0) return null;
    at = from + word.length;
    return [from, at];
  });
}

/**
 * Part what a person typed into words, each with its place: `{ text, from, to }`.
 * Words of the line before and behind the change stay whole, so that they keep their times.
 */
export function tokenize(text, line, language) {
  const unspaced = UNSPACED.includes(mainLanguage(language));
  const old = spans(line);
  const isBoundary = (at) => at <= 0 || at >= text.length || isGap(text[at - 1], text[at], unspaced);
  const same = commonEnds(line.text, text);
  const moved = text.length - line.text.length;
  const head = [];
  for (const span of old) {
    if (!span || span[1] > same.head || !isBoundary(span[0]) || !isBoundary(span[1])) break;
    head.push({ text: text.slice(...span), from: span[0], to: span[1] });
  }
  const begun = head.at(-1)?.to ?? 0;
  const tail = [];
  for (const span of old.slice(head.length).reverse()) {
    if (!span) break;
    const [from, to] = span.map((at) => at + moved);
    if (span[0] < line.text.length - same.tail || from < begun || !isBoundary(from) || !isBoundary(to)) break;
    tail.unshift({ text: text.slice(from, to), from, to });
  }
  const ended = tail[0]?.from ?? text.length;
  return [...head, ...segment(text, begun, ended, unspaced, language), ...tail];
}

/** How many characters two texts share at their beginning, and, of the rest, at their end. */
function commonEnds(one, other) {
  const shorter = Math.min(one.length, other.length);
  let head = 0;
  while (head < shorter && one[head] === other[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && one.at(-1 - tail) === other.at(-1 - tail)) tail += 1;
  return { head, tail };
}

function segment(text, begun, ended, unspaced, language) {
  const chunks = [...text.slice(begun, ended).matchAll(/\S+/g)].map((found) => ({
    text: found[0],
    from: begun + found.index,
    to: begun + found.index + found[0].length,
  }));
  return unspaced ? chunks.flatMap((chunk) => cut(chunk, language)) : chunks;
}

/** Part a text without spaces into words; marks stay with the word before, opening ones with the next. */
function cut(chunk, language) {
  const parts = [];
  let opening = "";
  for (const { segment: piece, index } of pieces(chunk.text, language)) {
    const from = chunk.from + index;
    const isWord = /[\p{L}\p{N}\p{S}]/u.test(piece);
    const last = parts.at(-1);
    if (!isWord && OPENING.test(piece)) {
      opening += piece;
    } else if (!isWord && last && !opening) {
      parts[parts.length - 1] = { text: last.text + piece, from: last.from, to: from + piece.length };
    } else {
      parts.push({ text: opening + piece, from: from - opening.length, to: from + piece.length });
      opening = "";
    }
  }
  return opening || !parts.length ? [chunk] : parts;
}

function pieces(text, language) {
  if (Intl.Segmenter) return new Intl.Segmenter(mainLanguage(language), { granularity: "word" }).segment(text);
  const found = [...text.matchAll(/[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}'’-]+|./gsu)];
  return found.map((piece) => ({ segment: piece[0], index: piece.index }));
}

function isGap(left, right, unspaced) {
  if (/\s/.test(left) || /\s/.test(right)) return true;
  return unspaced && !(isSpaced(left) && isSpaced(right));
}

function isSpaced(sign) {
  return /[\p{L}\p{N}]/u.test(sign) && sign < "\u0590";
}

function mainLanguage(language) {
  return language.split("-")[0];
}

/** Whether a line reads from right to left: by its language, unless all of its letters are of the other kind. */
export function readsRightToLeft(text, language) {
  const letters = [...text].filter((sign) => LETTER.test(sign));
  const leftward = letters.some((sign) => LEFTWARD.test(sign));
  const rightward = letters.some((sign) => !LEFTWARD.test(sign));
  return leftward === rightward ? RIGHT_TO_LEFT.includes(language) : leftward;
}
