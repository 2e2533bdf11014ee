// The bar above the transcript: on and off, undo and redo, what is saved, what would be lost, history.

import { say } from "../texts.js";
import { make } from "../transcript/line_view.js";
import { explain } from "./editor.js";
import { History } from "./history.js";

const NARROW = "(max-width: 820px)"; // as in the style sheets
const SHORT = 24; // characters of a sentence that stands beside the buttons

export class Bar {
  #bar; #button; #told; #editor; #acts; #lines; #sync;

  constructor({ bar, button, editor, acts, lines, sync }) {
    this.#bar = bar;
    this.#button = button;
    this.#told = bar.querySelector("[role=status]");
    this.#editor = editor;
    this.#acts = acts;
    this.#lines = lines;
    this.#sync = sync;
    new History({ details: bar.querySelector(".history"), lines, sync, back: (revision) => editor.back(revision) });
    this.#wire();
    this.#show();
  }

  #wire() {
    this.#button.addEventListener("click", (event) => {
      // A touch brings up the keyboard of the screen only where a person touched a line.
      const open = event.detail === 0 || matchMedia("(hover: hover)").matches;
      const { on } = this.#editor;
      this.#editor.turn(!on, { open });
      if (!on && matchMedia(NARROW).matches) this.#button.closest("section").scrollIntoView({ block: "start" });
    });
    for (const act of ["undo", "redo"]) {
      const button = this.#bar.querySelector(`[data-act=${act}]`);
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => this.#acts.perform({ act }));
    }
    this.#editor.addEventListener("state", () => this.#show());
    this.#editor.stack.addEventListener("change", () => this.#show());
    this.#lines.addEventListener("change", () => this.#show());
    this.#editor.addEventListener("told", (event) => this.tell(event.detail));
    this.#sync.addEventListener("saving", () => this.tell(say("page-saving")));
    this.#sync.addEventListener("saved", () => this.tell(say("page-saved")));
    this.#sync.addEventListener("ended", ({ detail }) => this.tell(explain(detail), "bad"));
    this.#sync.addEventListener("failed", ({ detail }) => {
      this.tell(say("page-unsaved", { reason: explain(detail) }), "bad");
    });
  }

  tell(sentence, kind = "") {
    this.#told.textContent = sentence;
    this.#told.className = sentence.length > SHORT ? `${kind} long` : kind;
  }

  #show() {
    const { on, stack, lost } = this.#editor;
    this.#button.hidden = !this.#lines.edit && !on;
    this.#button.setAttribute("aria-pressed", String(on));
    this.#bar.hidden = !on;
    document.body.classList.toggle("editing", on);
    this.#bar.querySelector("[data-act=undo]").disabled = !stack.canUndo;
    this.#bar.querySelector("[data-act=redo]").disabled = !stack.canRedo;
    this.#bar.querySelector(".lost").replaceChildren(...lost.map((draft) => this.#rescue(draft)));
  }

  /** A text whose line is gone, and what can be done with it. */
  #rescue(draft) {
    const place = make("div", "rescue");
    const act = (key, done) => {
      const button = make("button", "small", say(key));
      button.type = "button";
      button.addEventListener("click", done);
      return button;
    };
    const text = make("q", "", draft.text);
    text.dir = "auto";
    place.append(
      make("p", "", say("page-line-gone")),
      text,
      act("page-write-again", async () => {
        await this.#editor.restore(draft);
        this.#show();
      }),
      act("page-drop-mine", () => {
        this.#editor.lost = this.#editor.lost.filter((each) => each !== draft);
        this.#show();
      }),
    );
    return place;
  }
}
