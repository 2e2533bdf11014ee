// The field and the buttons of a line that is edited.

import { moment } from "../clock.js";
import { say } from "../texts.js";
import { make } from "../transcript/line_view.js";
import { NEW } from "./draft.js";

export class LineTools {
  #template; #lines;

  /** @param {HTMLTemplateElement} template */
  constructor(template, lines) {
    this.#template = template;
    this.#lines = lines;
  }

  /** Give a line the tools for its draft, or take them away where it has none. */
  dress(node, draft, isActive) {
    let tools = node.querySelector(".tools");
    node.classList.toggle("open", Boolean(draft));
    node.classList.toggle("active", isActive);
    if (!draft) {
      tools?.remove();
      return;
    }
    if (!tools) {
      node.append(this.#template.content.cloneNode(true));
      tools = node.querySelector(".tools");
    }
    const said = node.querySelector(".said");
    const field = tools.querySelector("textarea");
    Object.assign(field, { lang: said.lang, dir: said.dir });
    if (field.value !== draft.text) field.value = draft.text;
    fit(field);
    tools.classList.toggle("dirty", draft.isDirty);
    this.#voices(tools, draft);
    this.#trouble(tools, draft);
    this.#terms(tools, draft);
    for (const act of ["split", "merge", "add"]) {
      tools.querySelector(`[data-act=${act}]`).disabled = draft.line.id === NEW;
    }
  }

  /** Tell whose the words become: the line's, or those that are selected. */
  tellRun(tools, run, draft) {
    const { tokens } = draft;
    const isPart = run && run.past - run.first < tokens.length;
    tools.querySelector(".voices-told").textContent = isPart
      ? say("page-give-words", { words: shorten(draft.text.slice(tokens[run.first].from, tokens[run.past - 1].to), 28) })
      : say("page-give-line");
    tools.classList.toggle("has-run", Boolean(isPart));
  }

  #voices(tools, draft) {
    const place = tools.querySelector(".voices");
    const held = place.contains(document.activeElement) ? document.activeElement.dataset.speaker : null;
    const buttons = this.#lines.speakers.map(({ id, name }, index) => {
      const button = voice(id, name, index < 9 ? index + 1 : "");
      button.classList.add(`speaker-${this.#lines.speaker(id).colour}`);
      button.setAttribute("aria-pressed", String(id === draft.line.speaker));
      button.prepend(make("span", "dot"));
      return button;
    });
    place.replaceChildren(...buttons, voice(NEW, say("page-new-speaker"), ""));
    if (held) [...place.children].find((each) => each.dataset.speaker === held)?.focus();
    this.tellRun(tools, null, draft);
  }

  /** A button for each word that a glossary put: it brings back what was heard. */
  #terms(tools, { line }) {
    const buttons = line.words.flatMap(([start, , text, , heard]) => (heard ? [termButton(start, text, heard)] : []));
    tools.querySelector(".terms").replaceChildren(...buttons);
  }

  #trouble(tools, { theirs, trouble, line }) {
    const place = tools.querySelector(".trouble");
    let told = trouble;
    if (theirs) {
      const { author, at } = theirs;
      const name = author || say("page-somebody");
      told = say("page-line-changed", { name, time: moment(at ?? Date.now() / 1000), text: theirs.text ?? line.text });
    }
    if (place.textContent !== told) place.textContent = told;
    place.hidden = !told;
    tools.classList.toggle("clash", Boolean(theirs));
    tools.querySelector("[data-act=save] span").textContent = say(theirs ? "page-save-mine" : "page-save");
    tools.querySelector("[data-act=drop] span").textContent = say(theirs ? "page-drop-mine" : "page-drop");
  }
}

/** Let a field be as high as its text. */
export function fit(field) {
  field.parentElement.dataset.text = field.value;
}

function voice(id, name, key) {
  const button = make("button", "voice");
  button.type = "button";
  button.dataset.act = "speaker";
  button.dataset.speaker = id;
  const shown = make("span", "voice-name", name);
  shown.dir = "auto";
  button.append(shown);
  if (key) {
    const hint = make("kbd", "", String(key));
    hint.setAttribute("aria-hidden", "true");
    button.append(hint);
    button.setAttribute("aria-keyshortcuts", `Alt+${key}`);
  }
  return button;
}

function termButton(start, text, heard) {
  const button = make("button", "act");
  button.type = "button";
  button.dataset.act = "putBack";
  button.dataset.word = start;
  button.append(make("span", "", say("page-put-back", { words: shorten(heard, 40), text: shorten(text, 40) })));
  return button;
}

function shorten(text, length) {
  return text.length > length ? `${text.slice(0, length - 1).trimEnd()}…` : text;
}
