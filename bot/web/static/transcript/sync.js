// Talks to the server about the transcript: reads it, sends edits one after the other, looks for those of others.

const LOOK_EVERY = 3000; // milliseconds
const LOOK_SELDOM = 30_000; // milliseconds, while the server cannot be reached
const ANSWER_LIMIT = 30_000; // milliseconds
const JSON_TYPE = "application/json";

/** Why something was not done. `kind` is `conflict`, `refused`, `forbidden`, `gone`, `large`, `often` or `away`. */
export class Refusal extends Error {
  constructor(kind, { message = "", author = "", at = null } = {}) {
    super(message);
    Object.assign(this, { kind, author, at });
  }

  /** Whether the same may go through later. */
  get isPassing() {
    return ["often", "away"].includes(this.kind);
  }
}

/** Fires "saving", "saved", "failed" and, when the page is no more, "ended"; the `detail` of the last two is a `Refusal`. */
export class Sync extends EventTarget {
  #lines; #etag = null; #queue = Promise.resolve(); #waiting = 0; #patches = 0; #timer = 0; #pause = LOOK_EVERY;

  constructor(lines) {
    super();
    this.#lines = lines;
  }

  /** Read the transcript, and look for changes from now on while the page is seen. */
  async start() {
    document.addEventListener("visibilitychange", () => document.hidden || this.#look());
    addEventListener("focus", () => this.#look());
    await this.#look();
  }

  /** Read the transcript when it is another than before; `quiet` where the person is told of it in another way. */
  async load({ quiet = false } = {}) {
    const patches = this.#patches;
    const answer = await ask("lines.json", { headers: this.#etag ? { "If-None-Match": this.#etag } : {} });
    if (answer.status === 304) return;
    if (!answer.ok) throw await refusal(answer);
    const body = await answer.json();
    // An edit was answered meanwhile: what is here is newer.
    if (patches !== this.#patches) return;
    this.#etag = answer.headers.get("ETag");
    this.#lines.replace(body, { quiet });
  }

  /**
   * Save edits, after those that wait.
   *
   * @param {() => object[] | null} make Makes the edits from the lines as they are then; null when there are none.
   * @returns {Promise<object | null>} The answer. Rejects with a `Refusal`.
   */
  send(make) {
    return this.#enqueue(async () => {
      const edits = make();
      if (!edits?.length) return null;
      const base = this.#lines.revision;
      const answer = await this.#post("edits", { base, edits });
      return this.#take(answer, edits.length);
    });
  }

  /** Bring the transcript back to how it was after a revision. */
  back(revision) {
    return this.#enqueue(async () => {
      // The history may have told of edits that the lines have not met yet.
      await this.load();
      const base = this.#lines.revision;
      const answer = await this.#post("back", { base, revision });
      return this.#take(answer, answer.revision - base);
    });
  }

  /** Who changed what; the first edit first. */
  async history() {
    const answer = await ask("history.json");
    if (!answer.ok) throw await refusal(answer);
    return answer.json();
  }

  #enqueue(act) {
    const done = this.#queue.then(() => this.#tell(act));
    this.#queue = done.catch(() => {});
    return done;
  }

  async #tell(act) {
    this.#waiting += 1;
    this.dispatchEvent(new Event("saving"));
    try {
      const answer = await act();
      this.dispatchEvent(new Event("saved"));
      return answer;
    } catch (error) {
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
      throw error;
    } finally {
      this.#waiting -= 1;
    }
  }

  get isSaving() {
    return this.#waiting > 0;
  }

  async #post(path, body) {
    const answer = await ask(path, {
      method: "POST",
      headers: { "Content-Type": JSON_TYPE },
      body: JSON.stringify(body),
    });
    if (answer.ok) return { ...(await answer.json()), tag: answer.headers.get("ETag") };
    const refused = await refusal(answer);
    if (["conflict", "refused"].includes(refused.kind)) await this.load({ quiet: true }).catch(() => {});
    throw refused;
  }

  /** Put the answer to some edits into the transcript. */
  #take(answer, count) {
    this.#patches += 1;
    this.#etag = answer.tag;
    this.#lines.patch(answer, count);
    return answer;
  }

  async #look() {
    clearTimeout(this.#timer);
    try {
      if (!this.#waiting) await this.load();
      this.#pause = LOOK_EVERY;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#pause = Math.min(LOOK_SELDOM, this.#pause * 2);
      // A page without lines to ask for keeps those that it came with.
      if (["gone", "forbidden"].includes(error.kind)) {
        if (this.#lines.revision !== null) this.dispatchEvent(new CustomEvent("ended", { detail: error }));
        return;
      }
    } finally {
      clearTimeout(this.#timer);
    }
    if (!document.hidden) this.#timer = setTimeout(() => this.#look(), this.#pause);
  }
}

async function ask(path, options = {}) {
  try {
    return await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_LIMIT), ...options });
  } catch (error) {
    throw new Refusal("away", { message: `${error}` });
  }
}

async function refusal(answer) {
  const kinds = { 400: "refused", 401: "forbidden", 403: "forbidden", 404: "gone", 409: "conflict", 410: "gone" };
  const kind = kinds[answer.status] ?? { 413: "large", 429: "often" }[answer.status] ?? "away";
  const isTold = answer.headers.get("Content-Type")?.startsWith(JSON_TYPE);
  const body = isTold ? await answer.json().catch(() => ({})) : {};
  const message = [body.message, body.hint].filter(Boolean).join(" ");
  return new Refusal(kind, { message, author: body.author, at: body.at });
}
