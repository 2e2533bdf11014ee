// What a person types into a line and has not saved.

import { hasSameWords } from "../transcript/lines.js";
import { tokenize } from "../transcript/words.js";

/** The key of a line that is not saved yet. */
export const NEW = "new";

export class Draft {
  /** Who changed the line meanwhile: `{ author, at }`. */
  theirs = null;
  /** Why it was not saved. */
  trouble = "";
  /** While it is saved: tells whether that went well. */
  saving = null;

  /** @param {object} line As the person saw it. */
  constructor(line, language) {
    this.language = language;
    this.take(line);
  }

  /** Begin again with the line as it is. */
  take(line) {
    Object.assign(this, { line, text: line.text, theirs: null, trouble: "" });
  }

  get tokens() {
    return tokenize(this.text, this.line, this.language);
  }

  get words() {
    return this.tokens.map((token) => token.text);
  }

  get isDirty() {
    return this.text !== this.line.text && !this.isLike(this.line);
  }

  /** Whether its words are those of a line. */
  isLike(line) {
    const known = line.words.length ? line.words.map((word) => word[2]) : line.text.split(/\s+/).filter(Boolean);
    const words = this.words;
    return words.length === known.length && words.every((word, index) => word === known[index]);
  }

  /**
   * The line is another now. What was typed stays.
   *
   * @returns {boolean} Whether the person has to choose between two texts.
   */
  meet(line) {
    const isClash = this.isDirty && !hasSameWords(line, this.line) && !this.isLike(line);
    if (this.isDirty && !this.isLike(line)) {
      if (!isClash) this.line = line;
    } else {
      this.take(line);
    }
    return isClash;
  }

  /** The words that a selection touches, as `{ first, past }`; null for none. */
  run(from, to) {
    const { tokens } = this;
    const first = tokens.findIndex((token) => token.to > from);
    const past = tokens.findLastIndex((token) => token.from < to) + 1;
    return from === to || first < 0 || past <= first ? null : { first, past };
  }

  /** The word before which the cursor stands, or the nearest bound of the word that it stands in. */
  wordAt(cursor) {
    const { tokens } = this;
    const place = tokens.findIndex((token) => token.to > cursor);
    if (place < 0) return tokens.length;
    const { from, to } = tokens[place];
    return cursor - from > to - cursor ? place + 1 : place;
  }
}
