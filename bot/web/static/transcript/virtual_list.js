// A long list of which only what is near the visible part is in the page.

const LEAST_MARGIN = 700; // pixels above and below the visible part in which items are in the page
const ROUNDS = 4; // of placing and measuring, until what is seen has come to rest

/**
 * Items have keys. Heights are measured once an item was in the page and estimated before; what is seen stays where it
 * is when items around it change.
 */
export class VirtualList {
  #scroller; #list; #render; #estimate; #shown;
  #keys = []; #places = new Map(); #heights = new Map(); #guesses = new Map(); #tops = new Float64Array(1); #nodes = new Map();
  #width = 0; #frame = 0; #sizes;
  /** Keys of items that stay in the page wherever they are, such as one that is being written in. */
  pinned = () => [];

  /**
   * @param {HTMLElement} scroller What scrolls.
   * @param {HTMLElement} list The list inside.
   * @param {(key: string, old: HTMLElement | null) => HTMLElement} render Makes the node of an item, or renews it.
   * @param {(key: string, width: number) => number} estimate The probable height of an item.
   * @param {() => void} shown Called when other items are in the page, or they were made anew.
   */
  constructor({ scroller, list, render, estimate, shown }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#render = render;
    this.#estimate = estimate;
    this.#shown = shown;
    list.replaceChildren();
    list.classList.add("virtual");
    scroller.addEventListener("scroll", () => this.#later(), { passive: true });
    this.#sizes = new ResizeObserver((entries) => this.#resized(entries));
    this.#sizes.observe(scroller);
  }

  get keys() {
    return this.#keys;
  }

  /** The node of an item that is in the page. */
  node(key) {
    return this.#nodes.get(key) ?? null;
  }

  get nodes() {
    return this.#nodes;
  }

  /** Take other items, or the same in another order; `changed` are keys of those to be made anew. */
  set(keys, changed = []) {
    const anchor = this.#anchor();
    this.#keys = keys;
    this.#places = new Map(keys.map((key, place) => [key, place]));
    for (const known of [this.#heights, this.#guesses]) {
      for (const key of known.keys()) if (!this.#places.has(key)) known.delete(key);
    }
    this.#renew(changed);
    this.#layout(anchor);
  }

  /** Make items anew that changed. */
  refresh(keys) {
    const anchor = this.#anchor();
    this.#renew(keys);
    this.#layout(anchor);
  }

  /** The first item that is seen. */
  get first() {
    return this.#keys[this.#placeAt(this.#scroller.scrollTop + 1)] ?? null;
  }

  isSeen(key) {
    const place = this.#places.get(key);
    const { scrollTop, clientHeight } = this.#scroller;
    return place !== undefined && this.#tops[place + 1] > scrollTop && this.#tops[place] < scrollTop + clientHeight;
  }

  /**
   * Scroll so that an item is seen; nothing happens where it is.
   *
   * @param {number} [at] Share of the height at which it begins where there was need to scroll.
   * @param {(node: HTMLElement) => DOMRect} [part] The part of it that is to be seen; the whole by default.
   */
  reveal(key, { at = 0.3, part = (node) => node.getBoundingClientRect(), smooth = false } = {}) {
    const place = this.#places.get(key);
    if (place === undefined) return;
    const isNear = this.#nodes.has(key) && this.isSeen(key);
    if (!isNear) this.#layout([{ key, offset: -this.#scroller.clientHeight * at }]);
    const room = this.#scroller.getBoundingClientRect();
    const box = part(this.#nodes.get(key));
    if (box.top > room.top + 8 && box.bottom < room.top + this.#scroller.clientHeight * 0.75) return;
    const top = this.#scroller.scrollTop + box.top - room.top - this.#scroller.clientHeight * at;
    // Above, heights are not known yet, and to mend them ends a smooth scroll.
    const behavior = smooth && isNear && top > this.#scroller.scrollTop ? "smooth" : "auto";
    this.#scroller.scrollTo({ top, behavior });
    if (behavior === "auto") this.#layout(this.#anchor());
  }

  #renew(keys) {
    for (const key of keys) {
      const node = this.#nodes.get(key);
      this.#heights.delete(key);
      this.#guesses.delete(key);
      if (node && this.#places.has(key)) this.#render(key, node);
    }
    if (keys.length) this.#shown();
  }

  #later() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#layout(this.#anchor());
    });
  }

  /** What is seen, and how far below its top the visible part begins: the first of them that is left stays there. */
  #anchor() {
    const { scrollTop, clientHeight } = this.#scroller;
    const seen = [];
    for (let place = this.#placeAt(scrollTop); place < this.#keys.length; place += 1) {
      if (this.#tops[place] > scrollTop + clientHeight) break;
      seen.push({ key: this.#keys[place], offset: scrollTop - this.#tops[place] });
    }
    // What a person is at stays in place before all others.
    const focused = document.activeElement?.closest("[data-line]")?.dataset.line;
    const first = seen.findIndex(({ key }) => key === focused);
    return first > 0 ? [seen[first], ...seen] : seen;
  }

  #layout(anchor) {
    const kept = anchor.find(({ key }) => this.#places.has(key));
    for (let round = 0; round < ROUNDS; round += 1) {
      this.#place(kept);
      if (!this.#show()) return;
    }
    this.#place(kept);
  }

  /** Reckon where each item begins, and bring the anchor back to where it was. */
  #place(kept) {
    const width = this.#scroller.clientWidth;
    if (this.#tops.length !== this.#keys.length + 1) this.#tops = new Float64Array(this.#keys.length + 1);
    let top = 0;
    this.#keys.forEach((key, place) => {
      this.#tops[place] = top;
      top += this.#heights.get(key) ?? this.#guess(key, width);
    });
    this.#tops[this.#keys.length] = top;
    this.#list.style.height = `${top}px`;
    for (const [key, node] of this.#nodes) {
      const place = this.#places.get(key);
      if (place !== undefined) node.style.top = `${this.#tops[place]}px`;
    }
    if (!kept) return;
    const wanted = Math.max(0, this.#tops[this.#places.get(kept.key)] + kept.offset);
    if (Math.abs(wanted - this.#scroller.scrollTop) >= 1) this.#scroller.scrollTop = wanted;
  }

  #guess(key, width) {
    if (!this.#guesses.has(key)) this.#guesses.set(key, this.#estimate(key, width));
    return this.#guesses.get(key);
  }

  /** Put in what is near and take out what is not; tell whether an item was measured that is another height. */
  #show() {
    const { scrollTop, clientHeight } = this.#scroller;
    const margin = Math.max(clientHeight, LEAST_MARGIN);
    const first = this.#placeAt(scrollTop - margin);
    const past = this.#placeAt(scrollTop + clientHeight + margin) + 1;
    const wanted = new Set(this.#keys.slice(first, past));
    for (const key of this.pinned()) if (this.#places.has(key)) wanted.add(key);
    for (const [key, node] of this.#nodes) {
      if (wanted.has(key)) continue;
      this.#sizes.unobserve(node);
      node.remove();
      this.#nodes.delete(key);
    }
    const fresh = this.#insert([...wanted].sort((one, other) => this.#places.get(one) - this.#places.get(other)));
    if (fresh.size) this.#shown();
    let isOther = false;
    for (const key of wanted) {
      if (this.#heights.has(key) && !fresh.has(key)) continue;
      const { height } = this.#nodes.get(key).getBoundingClientRect();
      const place = this.#places.get(key);
      isOther ||= Math.abs(height - (this.#tops[place + 1] - this.#tops[place])) >= 0.5;
      this.#heights.set(key, height);
    }
    return isOther;
  }

  /** Put nodes into the list in this order, without moving those that are there: a field would lose the focus. */
  #insert(keys) {
    const fresh = new Set();
    let next = this.#list.firstChild;
    for (const key of keys) {
      let node = this.#nodes.get(key);
      if (!node) {
        node = this.#render(key, null);
        node.style.top = `${this.#tops[this.#places.get(key)]}px`;
        this.#nodes.set(key, node);
        this.#sizes.observe(node);
        fresh.add(key);
      }
      node.setAttribute("aria-posinset", String(this.#places.get(key) + 1));
      node.setAttribute("aria-setsize", String(this.#keys.length));
      if (node === next) next = next.nextSibling;
      else this.#list.insertBefore(node, next);
    }
    return fresh;
  }

  #resized(entries) {
    let isOther = false;
    const anchor = this.#anchor();
    for (const entry of entries) {
      const key = entry.target.dataset.line;
      const height = entry.borderBoxSize[0].blockSize;
      if (entry.target === this.#scroller) {
        if (this.#width !== this.#scroller.clientWidth) {
          this.#heights.clear();
          this.#guesses.clear();
        }
        this.#width = this.#scroller.clientWidth;
        isOther = true;
      } else if (this.#nodes.get(key) === entry.target && Math.abs(height - (this.#heights.get(key) ?? 0)) >= 0.5) {
        this.#heights.set(key, height);
        isOther = true;
      }
    }
    if (isOther) this.#layout(anchor);
  }

  /** The place of the item at a height. */
  #placeAt(height) {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tops[middle] <= height) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}
