// The transcript: a list of lines that follows the sound and what others change.

import { Find } from "./find.js";
import { Follow } from "./follow.js";
import { LineView } from "./line_view.js";
import { Lines, readPage } from "./lines.js";
import { Sync } from "./sync.js";
import { VirtualList } from "./virtual_list.js";

const TOLD = 6000; // milliseconds that a line stays marked which another person changed

export class Transcript {
  #view; #find = null; #editor = null; #marked = new Set();
  lines = new Lines();

  /**
   * @param {HTMLElement} scroller Has the list as the server wrote it, with its `data-language`.
   * @param {HTMLInputElement} follow Whether to follow the sound.
   * @param {HTMLElement | null} find Where a person searches.
   */
  constructor({ scroller, player, follow, find }) {
    const list = scroller.querySelector("ol");
    const found = readPage(list, scroller.dataset.language);
    this.scroller = scroller;
    this.sync = new Sync(this.lines);
    this.#view = new LineView(this.lines, scroller.dataset.language);
    this.list = new VirtualList({
      scroller,
      list,
      render: (key, old) => this.#render(key, old),
      estimate: (key, width) => LineView.estimate(this.#line(key), width),
      shown: () => this.#find?.mark(),
    });
    this.follow = new Follow({ scroller, list: this.list, lines: this.lines, player, button: follow });
    this.lines.replace(found);
    this.#arrange([]);
    this.lines.addEventListener("change", ({ detail }) => this.#change(detail));
    if (find) this.#find = new Find({ place: find, list: this.list, lines: this.lines });
    this.ready = this.sync.start();
  }

  /** Let lines be edited. */
  set editor(editor) {
    this.#editor = editor;
    this.#arrange([...this.list.nodes.keys()]);
  }

  #line(key) {
    return this.#editor?.line(key) ?? this.lines.line(key);
  }

  #render(key, old) {
    const node = this.#view.render(this.#line(key), old);
    this.follow.mark(node, key);
    this.#editor?.dress(node, key);
    node.classList.toggle("told", this.#marked.has(key));
    return node;
  }

  #arrange(changed) {
    const ids = this.lines.all.map((line) => line.id);
    this.list.set(this.#editor?.keys(ids) ?? ids, changed);
  }

  #change({ changed, voices, own, first, others }) {
    const clashes = this.#editor?.meet() ?? [];
    if (!own && !first) this.#mark(changed);
    const open = this.#editor ? this.#editor.drafts.keys() : [];
    this.#arrange(voices || first ? [...this.list.nodes.keys()] : [...changed, ...open]);
    if (clashes.length || others) this.#editor?.tellOthers(others, clashes);
  }

  /** Show for a while which lines another person changed. */
  #mark(changed) {
    for (const id of changed) this.#marked.add(id);
    setTimeout(() => {
      for (const id of changed) {
        this.#marked.delete(id);
        this.list.node(id)?.classList.remove("told");
      }
    }, TOLD);
  }
}
