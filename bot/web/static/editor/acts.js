// What buttons and keys of the editor do.

import { say } from "../texts.js";
import { tokenize } from "../transcript/words.js";
import { NEW } from "./draft.js";
import { LinePlayer } from "./line_player.js";
import * as operations from "./operations.js";

export class Acts {
  #editor; #lines; #list; #player; #linePlayer;

  constructor({ editor, lines, list, player }) {
    this.#editor = editor;
    this.#lines = lines;
    this.#list = list;
    this.#player = player;
    this.#linePlayer = new LinePlayer(player);
  }

  /** Do an act, to the active line unless another is named. */
  async perform({ act, value = null }, key = this.#editor.active) {
    const editor = this.#editor;
    const acts = {
      undo: () => this.#turnBack("undo"),
      redo: () => this.#turnBack("redo"),
      next: () => this.#step(key, 1),
      previous: () => this.#step(key, -1),
      toggle: () => this.#sound(this.#linePlayer.toggle(key ? editor.line(key) : null)),
    };
    const lineActs = {
      play: () => this.#sound(this.#linePlayer.play(editor.line(key))),
      save: () => editor.save(key, { asked: true }),
      drop: () => editor.drop(key),
      speaker: () => this.#give(key, value),
      split: () => this.#split(key),
      merge: () => this.#merge(key),
      add: () => this.#add(key),
      delete: () => this.#delete(key),
      putBack: () => this.#putBack(key, Number(value)),
    };
    const done = acts[act] ?? (key && editor.line(key) ? lineActs[act] : null);
    await done?.();
  }

  #sound(playing) {
    return playing.catch(() => this.#editor.tell(document.body.dataset.failed));
  }

  async #turnBack(kind) {
    const editor = this.#editor;
    const { active } = editor;
    if (editor.drafts.get(active)?.isDirty) {
      if (kind === "undo") editor.drop(active);
      return;
    }
    const answer = await editor.attempt(() => editor.stack[kind]());
    const key = answer?.put[0]?.line.id;
    if (!key || !this.#lines.line(key)) return;
    if (active && !editor.active) editor.activate(key);
    else this.#list.reveal(key);
  }

  #step(key, by) {
    const { keys } = this.#list;
    const from = keys.indexOf(key ?? this.#editor.stop ?? this.#list.first);
    const next = keys[key ? from + by : from];
    if (next !== undefined) this.#editor.activate(next, { cursor: 0 });
    else if (key) this.#editor.save(key);
  }

  /** Save the line, then change it; null where one of them went wrong. */
  async #change(key, make) {
    if (!(await this.#editor.save(key))) return null;
    const answer = await this.#editor.commit(() => {
      const line = this.#lines.line(key);
      const edit = line && make(line);
      return edit ? [edit] : null;
    }, key);
    this.#list.refresh([key]);
    return answer;
  }

  /** Give the line, or the words that are selected, to a speaker: by id, by number, or a new one (`NEW` or 0). */
  async #give(key, value) {
    const isNew = value === NEW || value === 0;
    const find = () => this.#lines.speakers.find(({ id }, index) => id === value || index + 1 === value);
    if (!isNew && !find()) return;
    if (key === NEW) {
      if (!isNew) this.#editor.addition.speaker = find().id;
      this.#list.refresh([NEW]);
      return;
    }
    const field = this.#editor.field(key);
    const run = field && this.#editor.drafts.get(key)?.run(field.selectionStart, field.selectionEnd);
    const name = (number) => say("page-speaker-number", { number });
    const answer = await this.#change(key, (line) => {
      const speaker = isNew ? operations.freshSpeaker(this.#lines.speakers, name) : find();
      if (!speaker || line.speaker === speaker.id) return null;
      return operations.give(line, speaker, line.words.length ? run : null);
    });
    if (!run?.first || this.#editor.active !== key) return;
    const given = answer?.put.find(({ line }) => line.id !== key);
    if (given) this.#editor.activate(given.line.id, { cursor: 0 });
  }

  /** Write what was heard where a glossary put a word that begins at `start`. */
  async #putBack(key, start) {
    await this.#change(key, (line) => {
      const place = line.words.findIndex((word) => word[0] === start && word[4]);
      if (place < 0) return null;
      const heard = tokenize(line.words[place][4], { text: "", words: [] }, this.#lines.language);
      const texts = line.words.map((word) => word[2]);
      texts.splice(place, 1, ...heard.map(({ text }) => text));
      return operations.setWords(line, texts);
    });
  }

  async #split(key) {
    const draft = this.#editor.drafts.get(key);
    const at = draft && key !== NEW ? draft.wordAt(this.#editor.field(key)?.selectionStart ?? 0) : 0;
    if (at <= 0 || at >= draft.tokens.length) {
      this.#editor.tell(say("page-split-where"));
      return;
    }
    const answer = await this.#change(key, (line) => (at < line.words.length ? operations.split(line, at) : null));
    const second = answer?.put.find(({ line }) => line.id !== key);
    if (second && this.#editor.active === key) this.#editor.activate(second.line.id, { cursor: 0 });
  }

  async #merge(key) {
    const follower = () => this.#lines.all[this.#lines.place(key) + 1];
    if (key === NEW || !follower()) {
      this.#editor.tell(say("page-merge-none"));
      return;
    }
    if (!(await this.#editor.save(follower().id))) return;
    const end = this.#editor.drafts.get(key)?.text.length ?? 0;
    const answer = await this.#change(key, (line) => follower() && operations.merge(line, follower()));
    if (answer && this.#editor.active === key) this.#editor.activate(key, { cursor: end });
  }

  async #delete(key) {
    const editor = this.#editor;
    editor.drafts.get(key)?.take(editor.line(key));
    if (key === NEW) {
      editor.drop(NEW);
      return;
    }
    const { all } = this.#lines;
    const place = this.#lines.place(key);
    const near = (all[place + 1] ?? all[place - 1])?.id;
    const wasActive = editor.active === key;
    const answer = await this.#change(key, operations.remove);
    if (answer && wasActive && this.#lines.line(near)) editor.activate(near, { cursor: 0 });
  }

  async #add(key) {
    const editor = this.#editor;
    if (editor.addition || !(await editor.save(key))) return;
    const { all, duration } = this.#lines;
    const place = this.#lines.place(key);
    const now = this.#player.time;
    const before = place === 0 && now > 0 ? operations.timesBefore(all[0], now) : null;
    const times = before ?? operations.timesBetween(all[place], all[place + 1], duration, now);
    const after = before ? null : key;
    editor.addition = { id: NEW, after, speaker: all[place].speaker, text: "", words: [], overlap: false, ...times };
    editor.reorder([]);
    editor.activate(NEW);
  }
}
