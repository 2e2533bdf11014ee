// A line of the transcript as it is seen: who, when, and the words.

import { clock } from "../clock.js";
import { say } from "../texts.js";
import { readsRightToLeft, spans } from "./words.js";

/** Words that the recogniser was less sure of than this are underlined. */
export const UNSURE = 0.5;
const TEXT_ROW = 24; // pixels
const LETTER = 7.6; // pixels, of the mean letter of a Latin text
const WIDE_LETTER = 16;
const WIDE = /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\uff00-\uff60]/g;

export class LineView {
  #lines; #language;

  /** @param {string} language Of the texts, for the browser. */
  constructor(lines, language) {
    this.#lines = lines;
    this.#language = language;
  }

  /** Make the node of a line, or put another content into it. */
  render(line, old) {
    const node = old ?? make("li", "turn");
    if (!old) node.append(make("div", "who"), make("p", "said"));
    const { name, colour } = this.#lines.speaker(line.speaker);
    for (const kind of [...node.classList]) if (kind.startsWith("speaker-")) node.classList.remove(kind);
    if (colour !== null) node.classList.add(`speaker-${colour}`);
    node.dataset.line = line.id;
    node.querySelector(".who").replaceChildren(...this.#who(line, name));
    const said = node.querySelector(".said");
    if (this.#language) said.lang = this.#language;
    said.dir = readsRightToLeft(line.text, this.#language) ? "rtl" : "ltr";
    said.replaceChildren(...words(line));
    return node;
  }

  #who(line, name) {
    const dot = make("span", "dot");
    dot.setAttribute("aria-hidden", "true");
    const shown = make("span", "name", name);
    shown.dir = "auto";
    shown.dataset.speaker = line.speaker;
    const at = make("button", "at", clock(line.start));
    at.type = "button";
    at.dataset.at = line.start;
    at.setAttribute("aria-label", say("page-go-to", { time: clock(line.start) }));
    const play = make("button", "play-line");
    play.type = "button";
    play.dataset.act = "play";
    play.setAttribute("aria-label", say("page-play-line"));
    play.title = say("page-play-line");
    const parts = [dot, shown, play, at];
    if (line.overlap) parts.push(make("span", "overlap", say("page-overlap")));
    return parts;
  }

  /** The probable height of a line in a list of this width, in pixels. */
  static estimate(line, width) {
    const wide = line.text.match(WIDE)?.length ?? 0;
    const length = (line.text.length - wide) * LETTER + wide * WIDE_LETTER;
    return 43 + TEXT_ROW * Math.max(1, Math.ceil((length * 1.04) / Math.max(100, width - 32)));
  }
}

function words(line) {
  if (!line.words.length) return [line.text];
  const parts = [];
  let at = 0;
  spans(line).forEach((span, index) => {
    const [start, end, text, sure, heard] = line.words[index];
    parts.push(span ? line.text.slice(at, span[0]) : " ");
    at = span ? span[1] : at;
    const word = make("span", "word", text);
    word.dataset.at = start;
    word.dataset.end = end;
    if (heard) {
      word.classList.add("term");
      word.title = say("page-term", { words: heard });
    } else if (sure !== null && sure < UNSURE) {
      word.classList.add("unsure");
      word.title = say("page-unsure", { share: Math.round(sure * 100) });
    }
    parts.push(word);
  });
  return parts;
}

/** Make an element. */
export function make(kind, className, text) {
  const node = document.createElement(kind);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
