// Sources of sound. Each has load(), play(at), pause(), time, playing and output(part), on the clip's clock in seconds;
// those of stems also have the position, which is rendered now and heard a little later.

const LEAD = 0.06; // seconds between asking for sound and hearing it, so that all stems start on one sample
const NEAR = 0.008; // seconds of drift that nobody hears
const FAR = 0.2; // seconds of drift that are jumped over
const STEEPEST = 0.04; // change of speed that brings an element back
const STEP = 0.005; // change of speed that is worth one: each costs the browser a moment

/** Decoded stems, all started at one time of one audio clock: they cannot drift apart. For clips that fit into memory. */
export class BufferEngine {
  #context; #tracks; #start; #buffers = new Map(); #sources = []; #from = 0; #when = 0;
  playing = false;

  constructor(context, tracks, outputs, start) {
    this.#context = context;
    this.#tracks = tracks;
    this.outputs = outputs;
    this.#start = start;
  }

  async load() {
    await Promise.all(this.#tracks.map(async ({ part, url }) => {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`${answer.status}`);
      this.#buffers.set(part, await this.#context.decodeAudioData(await answer.arrayBuffer()));
    }));
  }

  /** The position that is heard now. */
  get time() {
    if (!this.playing) return this.#from;
    const heard = this.#context.currentTime - (this.#context.outputLatency || 0);
    return this.#from + Math.max(0, heard - this.#when);
  }

  get position() {
    return this.playing ? this.#from + this.#context.currentTime - this.#when : this.#from;
  }

  async play(at) {
    this.#silence();
    this.#from = at;
    this.#when = this.#context.currentTime + LEAD;
    for (const [part, buffer] of this.#buffers) {
      const inside = at - this.#start;
      if (inside >= buffer.duration) continue;
      const source = new AudioBufferSourceNode(this.#context, { buffer });
      source.connect(this.outputs.get(part));
      source.start(this.#when + Math.max(0, -inside), Math.max(0, inside));
      this.#sources.push(source);
    }
    this.playing = true;
  }

  pause() {
    this.#from = this.time;
    this.playing = false;
    this.#silence();
  }

  #silence() {
    for (const source of this.#sources) {
      source.stop();
      source.disconnect();
    }
    this.#sources = [];
  }
}

/** Stems that are read while they play, for clips too long to decode: the others keep to the first by small changes of speed. */
export class ElementEngine {
  #start; #elements; #timer = 0; #wish = 0; #gathering = false;
  playing = false;

  constructor(context, tracks, outputs, start) {
    this.#start = start;
    this.outputs = outputs;
    this.#elements = tracks.map(({ part, url }) => {
      const element = new Audio(url);
      element.preload = "auto";
      element.preservesPitch = false;
      context.createMediaElementSource(element).connect(outputs.get(part));
      return element;
    });
  }

  async load() {
    await Promise.all(this.#elements.map((element) => new Promise((done, fail) => {
      if (isReady(element)) done();
      element.addEventListener("canplay", done, { once: true });
      element.addEventListener("error", () => fail(new Error("media")), { once: true });
      element.load();
    })));
  }

  get positions() {
    return this.#elements.map((element) => element.currentTime + this.#start);
  }

  get time() {
    return this.positions[0];
  }

  get position() {
    return this.time;
  }

  /** All wait until each has sound for that place, so that they begin together. */
  async play(at) {
    const wish = ++this.#wish;
    this.#gathering = true;
    this.playing = true;
    clearInterval(this.#timer);
    this.#halt();
    const inside = Math.max(0, at - this.#start);
    await Promise.all(this.#elements.map((element) => this.#place(element, inside)));
    if (wish !== this.#wish) return;
    try {
      await Promise.all(this.#elements.map((element) => element.play()));
    } catch (error) {
      // A pause or a jump meanwhile is no failure.
      if (wish === this.#wish) throw error;
    }
    if (wish !== this.#wish) return;
    this.#gathering = false;
    this.#timer = setInterval(() => this.#align(), 100);
  }

  pause() {
    this.#wish += 1;
    clearInterval(this.#timer);
    this.playing = false;
    this.#halt();
  }

  #halt() {
    for (const element of this.#elements) {
      element.pause();
      element.playbackRate = 1;
    }
  }

  async #place(element, inside) {
    if (Math.abs(element.currentTime - inside) >= 0.001) {
      const placed = new Promise((done) => element.addEventListener("seeked", done, { once: true }));
      element.currentTime = inside;
      await placed;
    }
    if (isReady(element)) return;
    await new Promise((done) => element.addEventListener("canplay", done, { once: true }));
  }

  #align() {
    if (this.#gathering) return;
    const [first, ...others] = this.#elements;
    if (this.#elements.every(isReady)) {
      for (const element of others) steer(element, first.currentTime, NEAR, FAR);
    } else {
      // One has run dry; the others wait for it.
      this.play(Math.min(...this.positions)).catch(() => this.pause());
    }
  }
}

/** True when an element can go on, or is through. */
function isReady(element) {
  return element.ended || element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
}

/** The media element's own sound, where there are no stems. */
export class OwnEngine {
  #media;

  constructor(media) {
    this.#media = media;
  }

  async load() {}

  get playing() {
    return !this.#media.paused;
  }

  get time() {
    return this.#media.currentTime;
  }

  async play(at) {
    if (Math.abs(this.#media.currentTime - at) > 0.01) this.#media.currentTime = at;
    await this.#media.play();
  }

  pause() {
    this.#media.pause();
  }
}

/** Bring a playing element to where it should be: a jump when it is far off, a little speed when it is near. */
export function steer(element, wanted, near, far) {
  const drift = element.currentTime - wanted;
  if (element.seeking || element.ended) return;
  if (Math.abs(drift) > far) element.currentTime = wanted;
  const change = Math.abs(drift) > far || Math.abs(drift) < near ? 0 : Math.max(-STEEPEST, Math.min(STEEPEST, drift));
  const rate = 1 - Math.round(change / STEP) * STEP;
  if (element.playbackRate !== rate) element.playbackRate = rate;
}
