// The transcript as lines with ids, as the server last told it.

const COLOURS = 6; // of speakers, in the style sheet
const LATENESS = 0.25; // seconds that a word counts as heard after its end

/**
 * A word is `[start, end, text, confidence or null, what was heard where a glossary put it or null]`.
 * Fires "change"; its `detail` has `changed` (ids of lines that are new or others now), `gone` (lines by id that are no
 * more), `voices` (whether speakers or their names changed), `own` (whether this page did it), `first` (whether the
 * server told the transcript for the first time) and `others` (revisions that others made, of which the person is to be
 * told: those after `after`, up to `upTo`; or null).
 */
export class Lines extends EventTarget {
  revision = null;
  language = "";
  duration = 0;
  edit = false;
  speakers = [];
  all = [];
  #places = new Map();
  #spoken = null;

  /** Take the whole transcript. */
  replace(body, { quiet = false } = {}) {
    const before = new Map(this.all.map((line) => [line.id, line]));
    const voices = JSON.stringify(this.speakers) !== JSON.stringify(body.speakers);
    const first = this.revision === null;
    const { revision, edit } = this;
    Object.assign(this, {
      revision: body.revision,
      language: body.language,
      duration: body.duration,
      edit: body.edit,
      speakers: body.speakers,
      // Lines that are as before stay the same objects.
      all: body.lines.map((line) => (isSame(before.get(line.id), line) ? before.get(line.id) : line)),
    });
    const changed = new Set(this.all.filter((line) => before.get(line.id) !== line).map((line) => line.id));
    for (const line of this.all) before.delete(line.id);
    const isOther = revision !== this.revision || edit !== this.edit || voices || changed.size + before.size > 0;
    const others = first || quiet ? null : { after: revision, upTo: this.revision };
    if (isOther) this.#tell({ changed, gone: before, voices, first, others });
  }

  /** Take the answer to edits that this page made, `count` of them; it has what others did before them, too. */
  patch({ revision, gone, put, speakers }, count) {
    const before = { after: this.revision, upTo: revision - count };
    const left = new Map(gone.map((id) => [id, this.line(id)]));
    const all = this.all.filter((line) => !left.has(line.id));
    for (const { after, line } of put) {
      all.splice(after === null ? 0 : all.findIndex((each) => each.id === after) + 1, 0, line);
      left.delete(line.id);
    }
    const voices = JSON.stringify(this.speakers) !== JSON.stringify(speakers);
    Object.assign(this, { revision, speakers, all });
    const others = before.upTo > before.after ? before : null;
    this.#tell({ changed: new Set(put.map(({ line }) => line.id)), gone: left, voices, own: true, others });
  }

  /** Take other names of speakers, by id. */
  rename(names) {
    this.speakers = this.speakers.map((each) => ({ ...each, name: names[each.id] ?? each.name }));
    this.#tell({ changed: new Set(), gone: new Map(), voices: true, own: true });
  }

  place(id) {
    return this.#places.get(id) ?? -1;
  }

  line(id) {
    return this.all[this.place(id)];
  }

  /** A speaker with the number of the colour. */
  speaker(id) {
    const place = this.speakers.findIndex((each) => each.id === id);
    return { id, name: this.speakers[place]?.name ?? id, colour: place < 0 ? null : place % COLOURS };
  }

  /** The word that is heard at a time: the id of its line and its index there; null in a pause. */
  wordAt(time) {
    const { starts, spoken } = (this.#spoken ??= sortByTime(this.all));
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= time + 0.001) low = middle + 1;
      else high = middle;
    }
    const word = spoken[low - 1];
    return word && time <= word.end + LATENESS ? word : null;
  }

  #tell(detail) {
    this.#places = new Map(this.all.map((line, place) => [line.id, place]));
    this.#spoken = null;
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

/** The transcript as the server wrote it into the page. */
export function readPage(list, language) {
  const speakers = new Map();
  const lines = [...list.querySelectorAll(".turn")].map((turn, place) => {
    const name = turn.querySelector(".name");
    speakers.set(name.dataset.speaker, name.textContent);
    const words = [...turn.querySelectorAll(".word")];
    const start = Number(turn.querySelector(".at").dataset.at);
    return {
      id: `L${place + 1}`,
      speaker: name.dataset.speaker,
      start,
      end: Number(words.at(-1)?.dataset.end ?? start),
      overlap: turn.querySelector(".overlap") !== null,
      text: turn.querySelector("p").textContent,
      words: words.map((word) => [Number(word.dataset.at), Number(word.dataset.end), word.textContent, null, null]),
    };
  });
  return {
    revision: null,
    duration: 0,
    language,
    edit: false,
    speakers: [...speakers].map(([id, name]) => ({ id, name })),
    lines,
  };
}

/** Whether a line has the words and times of another. */
export function hasSameWords(one, other) {
  if (one.text !== other.text || one.words.length !== other.words.length) return false;
  return one.words.every((word, index) => [0, 1, 2].every((part) => word[part] === other.words[index][part]));
}

function isSame(one, other) {
  if (one === undefined) return false;
  const facts = ["speaker", "start", "end", "overlap"].every((name) => one[name] === other[name]);
  return facts && hasSameWords(one, other) && one.words.every((word, index) => [3, 4].every((part) => word[part] === other.words[index][part]));
}

function sortByTime(lines) {
  const spoken = lines.flatMap(({ id, words }) => words.map(([start, end], index) => ({ start, end, line: id, index })));
  spoken.sort((one, other) => one.start - other.start);
  return { spoken, starts: Float64Array.from(spoken, (word) => word.start) };
}
