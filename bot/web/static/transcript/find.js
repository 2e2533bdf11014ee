// Finds words in the transcript: the browser's own search sees only the lines that are in the page.

import { say } from "../texts.js";

const MARK = "found";

export class Find {
  #field; #told; #list; #lines; #query = ""; #matches = []; #at = -1;

  /** @param {HTMLElement} place Has the field and what tells how many there are. */
  constructor({ place, list, lines }) {
    this.#field = place.querySelector("input");
    this.#told = place.querySelector("output");
    this.#list = list;
    this.#lines = lines;
    place.hidden = false;
    this.#field.addEventListener("input", () => this.#begin());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("keydown", (event) => this.#open(event));
    lines.addEventListener("change", () => this.#query && this.#search());
  }

  /** Mark the words that were found in a line which came into the page. */
  mark() {
    if (!globalThis.Highlight) return;
    const ranges = this.#query ? [...this.#list.nodes.values()].flatMap((node) => this.#ranges(node)) : [];
    CSS.highlights.set(MARK, new Highlight(...ranges));
  }

  /** The keys that search a page search here; pressed once more, they are the browser's again. */
  #open(event) {
    const isAsked = (event.ctrlKey || event.metaKey) && !event.altKey && event.code === "KeyF";
    if (!isAsked || event.shiftKey || document.activeElement === this.#field) return;
    event.preventDefault();
    this.#field.focus();
    this.#field.select();
  }

  #key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.#step(event.shiftKey ? -1 : 1);
    if (event.key !== "Escape") return;
    this.#field.value = "";
    this.#begin();
  }

  #begin() {
    this.#query = this.#field.value.trim().toLocaleLowerCase();
    this.#search();
    if (!this.#matches.length) return;
    // The first from where the person is reading.
    const from = this.#lines.place(this.#list.first);
    const next = this.#matches.findIndex((id) => this.#lines.place(id) >= from);
    this.#show(next < 0 ? 0 : next);
  }

  #search() {
    const { all } = this.#lines;
    const isFound = ({ text }) => text.toLocaleLowerCase().includes(this.#query);
    this.#matches = this.#query ? all.filter(isFound).map(({ id }) => id) : [];
    this.#at = Math.min(this.#at, this.#matches.length - 1);
    this.#tell();
    this.mark();
  }

  #step(by) {
    const count = this.#matches.length;
    if (count) this.#show((this.#at + by + count) % count);
  }

  #show(at) {
    this.#at = at;
    this.#list.reveal(this.#matches[at]);
    this.#tell();
    this.mark();
  }

  #tell() {
    const values = { number: Math.max(0, this.#at + 1), count: this.#matches.length };
    this.#told.value = this.#query ? say("page-found", values) : "";
  }

  #ranges(node) {
    const said = node.querySelector(".said");
    const ranges = [];
    // Texts of which a letter changes its length with its case are not marked, only found.
    const text = said.textContent.toLocaleLowerCase();
    if (text.length !== said.textContent.length) return ranges;
    for (let at = text.indexOf(this.#query); at >= 0; at = text.indexOf(this.#query, at + this.#query.length)) {
      ranges.push(rangeOf(said, at, at + this.#query.length));
    }
    return ranges;
  }
}

function rangeOf(node, from, to) {
  const range = document.createRange();
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  let passed = 0;
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const { length } = text.data;
    if (from >= passed && from < passed + length) range.setStart(text, from - passed);
    if (to > passed && to <= passed + length) range.setEnd(text, to - passed);
    passed += length;
  }
  return range;
}
