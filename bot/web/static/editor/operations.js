// The operations of docs/edits.md, made from what a person does.

const LEAST = 0.3; // seconds of a line that is added
const USUAL = 2; // seconds

const seen = (line) => ({
  line: line.id,
  speaker: line.speaker,
  words: line.words.map(([start, end, text]) => [start, end, text]),
});

export const setWords = (line, words) => ({ op: "set_words", seen: seen(line), words });
export const split = (line, at) => ({ op: "split", seen: seen(line), at });
export const merge = (line, second) => ({ op: "merge", seen: seen(line), second: seen(second) });
export const remove = (line) => ({ op: "delete", seen: seen(line) });
export const add = ({ speaker, start, end }, words) => ({ op: "add", speaker, start, end, words });

/** Give a line, or its words `first` to before `past`, to a speaker; one with `isNew` is made with it. */
export function give(line, { id, name, isNew }, run = null) {
  const some = run && !(run.first === 0 && run.past === line.words.length) ? run : {};
  return { op: "give", seen: seen(line), speaker: id, ...some, ...(isNew ? { name } : {}) };
}

/** The next speaker of a transcript: `S3` where there are S1 and S2. */
export function freshSpeaker(speakers, nameOf) {
  let number = speakers.length + 1;
  while (speakers.some((each) => each.id === `S${number}`)) number += 1;
  return { id: `S${number}`, name: nameOf(number), isNew: true };
}

/** When a line before the first is said, if the sound stands there; else null. */
export function timesBefore(line, now) {
  return line.start - now >= LEAST ? { start: now, end: Math.min(line.start, now + USUAL) } : null;
}

/** When a line between two others is said: in the pause, if there is one. */
export function timesBetween(line, next, duration, now) {
  const start = line ? Math.max(line.start, line.end) : 0;
  const limit = next && next.start - start >= LEAST ? next.start : Infinity;
  const begun = now > start && now < limit - LEAST && limit < Infinity ? now : start;
  const end = Math.min(limit, begun + USUAL, duration);
  return end - begun >= LEAST ? { start: begun, end } : { start: Math.max(0, end - 1), end };
}
