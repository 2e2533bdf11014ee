// Who changed what and when, and the way back.

import { moment } from "../clock.js";
import { say } from "../texts.js";
import { make } from "../transcript/line_view.js";

const AT_ONCE = 40; // edits that are shown before a person asks for more

export class History {
  #details; #list; #lines; #sync; #back; #shown = AT_ONCE; #asked = 0;

  /** @param {(revision: number) => Promise<void>} back Brings the transcript back to a revision. */
  constructor({ details, lines, sync, back }) {
    this.#details = details;
    this.#list = details.querySelector("ol");
    this.#lines = lines;
    this.#sync = sync;
    this.#back = back;
    details.addEventListener("toggle", () => this.#load());
    lines.addEventListener("change", () => this.#load());
    this.#list.addEventListener("click", (event) => this.#click(event.target.closest("button")));
  }

  async #load() {
    if (!this.#details.open) return;
    const asked = ++this.#asked;
    const entries = await this.#sync.history().catch(() => null);
    if (asked !== this.#asked) return;
    if (entries) this.#show(entries);
    else this.#list.replaceChildren(make("li", "", say("page-unsaved-away")));
  }

  #show(entries) {
    const held = document.activeElement?.dataset.revision;
    const newest = entries.slice(-this.#shown).reverse();
    const items = newest.map((entry, index) => this.#item(entry, index === 0));
    if (newest.length < entries.length) {
      const more = make("button", "small", say("page-history-more"));
      more.type = "button";
      more.dataset.more = "";
      const item = make("li");
      item.append(more);
      items.push(item);
    } else {
      const first = make("li");
      first.append(make("span", "what", say("page-as-recognised")), ...(entries.length ? [wayBack(0)] : []));
      items.push(first);
    }
    this.#list.replaceChildren(...items);
    if (held) this.#list.querySelector(`[data-revision="${CSS.escape(held)}"]`)?.focus();
  }

  #item({ revision, author, created, what, text, speaker }, isNewest) {
    const item = make("li");
    const time = make("time", "", moment(created));
    time.dateTime = new Date(created * 1000).toISOString();
    const head = make("span", "by");
    head.append(make("b", "", author || say("page-somebody")), time);
    const told = make("span", "what", say(`page-did-${what.replaceAll("_", "-")}`));
    if (speaker) {
      const { name, colour } = this.#lines.speaker(speaker);
      const voice = make("span", `name${colour === null ? "" : ` speaker-${colour}`}`, name);
      voice.dir = "auto";
      told.append(" · ", voice, text ? ": " : "");
    }
    if (text) {
      const quoted = make("q", "", text);
      quoted.dir = "auto";
      told.append(speaker ? "" : " · ", quoted);
    }
    item.append(head, told, ...(isNewest ? [make("span", "now-here", say("page-now-here"))] : [wayBack(revision)]));
    return item;
  }

  async #click(button) {
    if (!button) return;
    if (button.dataset.revision === undefined) {
      this.#shown *= 4;
      await this.#load();
      return;
    }
    button.disabled = true;
    await this.#back(Number(button.dataset.revision));
    button.disabled = false;
  }
}

function wayBack(revision) {
  const button = make("button", "small", say("page-back-here"));
  button.type = "button";
  button.dataset.revision = String(revision);
  return button;
}
