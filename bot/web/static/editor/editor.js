// Edits the transcript: one line is active at a time, and what was typed stays until it is saved or dropped.

import { moment } from "../clock.js";
import { say } from "../texts.js";
import { Refusal } from "../transcript/sync.js";
import { Draft, NEW } from "./draft.js";
import { fit } from "./line_tools.js";
import * as operations from "./operations.js";
import { UndoStack } from "./undo.js";

/** Fires "state" when it is turned on or off, and "told" with a sentence as `detail`. */
export class Editor extends EventTarget {
  #lines; #list; #sync; #tools;
  on = false;
  active = null;
  drafts = new Map();
  /** The line that is written but not saved yet. */
  addition = null;
  /** Drafts of lines that are gone. */
  lost = [];
  /** The line that the tab key reaches. */
  stop = null;

  constructor({ lines, list, sync, tools }) {
    super();
    this.#lines = lines;
    this.#list = list;
    this.#sync = sync;
    this.#tools = tools;
    this.stack = new UndoStack((edits) => sync.send(() => edits));
    list.pinned = () => this.drafts.keys();
  }

  /** Whether something would be lost with the page. */
  get isDirty() {
    return this.#sync.isSaving || this.lost.length > 0 || [...this.drafts.values()].some((draft) => draft.isDirty);
  }

  /** Keys of the list: ids of lines, with the one that is added where it goes. */
  keys(ids) {
    if (!this.addition) return ids;
    const place = ids.indexOf(this.addition.after) + 1;
    return [...ids.slice(0, place), NEW, ...ids.slice(place)];
  }

  line(key) {
    return key === NEW ? this.addition : this.#lines.line(key);
  }

  /** Give the node of a line what it needs for editing. */
  dress(node, key) {
    this.#tools.dress(node, this.drafts.get(key), key === this.active);
    if (this.on) node.tabIndex = key === this.stop ? 0 : -1;
    else node.removeAttribute("tabindex");
  }

  async turn(on, { open = true } = {}) {
    if (!on && this.active && !(await this.close())) return;
    this.on = on;
    this.stop = on ? this.#list.first : null;
    this.#list.refresh([...this.#list.nodes.keys()]);
    this.dispatchEvent(new Event("state"));
    if (on && open && this.stop) this.activate(this.stop);
  }

  /** Open a line, and save the one that was open. */
  activate(key, { cursor = null, focus = true } = {}) {
    const before = this.active;
    const others = [before, this.stop].filter((each) => each && each !== key);
    this.active = key;
    this.stop = key;
    if (!this.drafts.has(key)) this.drafts.set(key, new Draft(this.line(key), this.#lines.language));
    this.#list.refresh([key]);
    if (before && before !== key) this.#leave(before);
    this.#list.refresh(others);
    this.#list.reveal(key);
    if (!focus) return;
    const field = this.field(key);
    field.focus({ preventScroll: true });
    if (cursor !== null) field.setSelectionRange(cursor, cursor);
  }

  field(key) {
    return this.#list.node(key)?.querySelector("textarea") ?? null;
  }

  /** Save the active line and close it; false where it could not be saved. */
  async close() {
    const key = this.active;
    if (key && !(await this.save(key))) return false;
    if (this.active !== key && this.active) return this.close();
    this.active = null;
    this.#leave(key);
    return true;
  }

  #leave(key) {
    const draft = this.drafts.get(key);
    if (draft?.isDirty || draft?.trouble || draft?.theirs) this.save(key);
    else this.#forget(key);
  }

  #forget(key) {
    this.drafts.delete(key);
    if (key === NEW) this.addition = null;
    this.reorder([key]);
  }

  /** Put the lines and what is added to them into the list. */
  reorder(changed) {
    this.#list.set(this.keys(this.#lines.all.map((line) => line.id)), changed);
  }

  /** A person typed. */
  type(key, field) {
    const draft = this.drafts.get(key);
    draft.text = field.value.replace(/\n/g, " ");
    fit(field);
    field.closest(".tools").classList.toggle("dirty", draft.isDirty);
    if (!draft.trouble) return;
    draft.trouble = "";
    this.#list.refresh([key]);
  }

  /** Give a line back the text that it has. */
  drop(key) {
    const draft = this.drafts.get(key);
    const line = this.line(key);
    if (!draft || !line) return;
    const wasDirty = draft.isDirty || draft.theirs;
    draft.take(line);
    if (key !== this.active || (key === NEW && !wasDirty)) {
      if (key === this.active) this.active = null;
      this.#forget(key);
    } else if (wasDirty) {
      this.#list.refresh([key]);
    } else {
      this.active = null;
      this.#forget(key);
      this.#list.node(key)?.focus({ preventScroll: true });
    }
  }

  /**
   * Save what was typed into a line.
   *
   * @param {{ asked?: boolean }} [how] Whether a person asked for it, also over what another person wrote meanwhile.
   * @returns {Promise<boolean>} Whether there is nothing unsaved now.
   */
  async save(key, { asked = false } = {}) {
    const draft = this.drafts.get(key);
    if (!draft) return true;
    if (draft.saving) return draft.saving;
    if (!draft.isDirty) return true;
    if (draft.theirs && !asked) return false;
    draft.saving = this.#save(key, draft).finally(() => (draft.saving = null));
    return draft.saving;
  }

  async #save(key, draft) {
    const { text, words } = draft;
    if (draft.theirs) draft.line = this.#lines.line(key) ?? draft.line;
    Object.assign(draft, { theirs: null, trouble: words.length ? "" : say("page-line-empty") });
    if (words.length) {
      const edit = key === NEW ? operations.add(draft.line, words) : operations.setWords(draft.line, words);
      const answer = await this.commit(() => [edit], key);
      if (answer) return this.#saved(key, draft, text, answer);
    }
    if (this.drafts.get(key) === draft) this.#list.refresh([key]);
    return false;
  }

  #saved(key, draft, text, answer) {
    const id = key === NEW ? answer.put.at(-1)?.line.id : key;
    const line = this.#lines.line(id);
    const isActive = this.active === key;
    const typed = draft.text;
    if (line) draft.take(line);
    // A person may have typed on meanwhile.
    if (line && typed !== text) draft.text = typed;
    if (key === NEW) this.#forget(NEW);
    if (isActive && key === NEW && line) this.activate(id);
    else if (!isActive && !draft.isDirty) this.#forget(key);
    else this.#list.refresh([key]);
    return true;
  }

  /** Save edits; null where that went wrong, which the line then tells. */
  async commit(make, key = null) {
    return this.attempt(async () => {
      const answer = await this.#sync.send(make);
      this.stack.push(answer?.undo);
      return answer;
    }, key);
  }

  /** Do something that the server may refuse; null where it did. */
  async attempt(act, key = null) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const draft = this.drafts.get(key);
      if (draft?.isDirty && error.kind === "conflict") {
        draft.theirs = { author: error.author, at: error.at, text: this.#lines.line(key)?.text };
      } else if (draft) {
        draft.trouble = explain(error);
      }
      return null;
    }
  }

  /** The transcript changed: bring drafts together with it; the keys of those that clash. */
  meet() {
    const clashes = [];
    for (const [key, draft] of this.drafts) {
      const line = this.line(key);
      if (key === NEW) continue;
      if (!line) {
        this.drafts.delete(key);
        if (draft.isDirty) this.lost.push(draft);
        if (this.active === key) this.active = null;
      } else if (!draft.saving && line !== draft.line && draft.meet(line)) {
        draft.theirs = { author: "", at: null, text: line.text };
        clashes.push(key);
      }
    }
    if (this.stop && this.stop !== NEW && !this.#lines.line(this.stop)) this.stop = null;
    if (this.addition?.after && !this.#lines.line(this.addition.after)) {
      this.addition.after = this.#lines.all.findLast((line) => line.start <= this.addition.start)?.id ?? null;
    }
    return clashes;
  }

  /** Tell who changed something, and who wrote what clashes with drafts. */
  async tellOthers(others, clashes) {
    if (!this.on) return;
    const entries = await this.#sync.history().catch(() => []);
    const theirs = others ? entries.filter(({ revision }) => revision > others.after && revision <= others.upTo) : entries;
    const newest = theirs.at(-1);
    if (!newest) return;
    if (others) {
      const names = [...new Set(theirs.map(({ author }) => author || say("page-somebody")))].join(", ");
      this.tell(say("page-others-changed", { name: names, time: moment(newest.created) }));
    }
    for (const key of clashes) {
      const words = this.#lines.line(key)?.text ?? "";
      const entry = theirs.findLast(({ text }) => text && words.startsWith(text.replace(/…$/, ""))) ?? newest;
      const draft = this.drafts.get(key);
      if (draft?.theirs) Object.assign(draft.theirs, { author: entry.author, at: entry.created });
    }
    this.#list.refresh(clashes);
  }

  async back(revision) {
    if (this.active && !(await this.save(this.active))) return;
    const answer = await this.attempt(() => this.#sync.back(revision));
    this.stack.push(answer?.undo);
  }

  /** Write what was typed into a line that is gone as a line of its own. */
  async restore(draft) {
    const { line, words } = draft;
    const speaker = this.#lines.speakers.some(({ id }) => id === line.speaker) ? line.speaker : this.#lines.speakers[0]?.id;
    const end = Math.max(line.end, line.start + 0.1);
    const answer = await this.commit(() => [operations.add({ speaker, start: line.start, end }, words)]);
    if (answer) this.lost = this.lost.filter((each) => each !== draft);
    return Boolean(answer);
  }

  tell(sentence) {
    this.dispatchEvent(new CustomEvent("told", { detail: sentence }));
  }
}

/** Why something was not saved, and what to do. */
export function explain({ kind, message, author, at }) {
  if (kind === "conflict") {
    return say("page-unsaved-conflict", { name: author || say("page-somebody"), time: moment(at ?? Date.now() / 1000) });
  }
  return message && kind !== "away" ? message : say(`page-unsaved-${kind}`);
}
