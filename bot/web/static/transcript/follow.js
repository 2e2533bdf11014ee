// Marks the word that is heard, follows it, seeks by a click.

const LEFT_ALONE = 4000; // milliseconds without following after a person scrolled

export class Follow {
  #list; #lines; #player; #switch;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #heard = null; #marked = null; #scrolled = 0;
  /** Whether a person is at something that must not scroll away. */
  isBusy = () => false;
  /** Whether a click on a word means something else. */
  isTaken = () => false;

  /** @param {HTMLInputElement} button Whether to follow at all. */
  constructor({ scroller, list, lines, player, button }) {
    this.#list = list;
    this.#lines = lines;
    this.#player = player;
    this.#switch = button;
    for (const kind of ["wheel", "touchmove"]) {
      scroller.addEventListener(kind, () => (this.#scrolled = performance.now()), { passive: true });
    }
    scroller.addEventListener("click", (event) => this.#click(event));
    player.addEventListener("time", () => this.#follow());
    lines.addEventListener("change", () => (this.#heard = null));
  }

  /** Mark the heard word in a node that was made anew. */
  mark(node, id) {
    node.classList.toggle("current", this.#heard?.line === id);
    if (this.#heard?.line !== id) return;
    const word = node.querySelectorAll(".word")[this.#heard.index];
    word?.classList.add("now");
    this.#marked = { node, word };
  }

  #click(event) {
    const target = event.target.closest("[data-at]");
    // A click that ends a selection of text is no wish to seek.
    if (!target || (!target.matches("button") && (this.isTaken() || String(getSelection())))) return;
    this.#scrolled = 0;
    this.#player.seek(Number(target.dataset.at));
  }

  #follow() {
    const word = this.#lines.wordAt(this.#player.time);
    if (word?.line === this.#heard?.line && word?.index === this.#heard?.index) return;
    this.#marked?.word?.classList.remove("now");
    this.#marked?.node.classList.remove("current");
    this.#heard = word;
    this.#marked = null;
    if (!word) return;
    const isLeftAlone = performance.now() - this.#scrolled <= LEFT_ALONE;
    if (this.#switch.checked && !isLeftAlone && !this.isBusy()) this.#reveal(word);
    const node = this.#list.node(word.line);
    if (node) this.mark(node, word.line);
  }

  /** Scrolls the list alone, never the page. */
  #reveal({ line, index }) {
    const part = (node) => {
      const word = node.querySelectorAll(".word")[index];
      return (word?.offsetParent ? word : node).getBoundingClientRect();
    };
    this.#list.reveal(line, { part, smooth: !this.#calm.matches });
  }
}
