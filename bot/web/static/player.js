// Transport: one clock, that of the sound; the picture follows it.

import { BufferEngine, ElementEngine, OwnEngine, steer } from "./engines.js";
import { SpeakerFader } from "./speakers.js";

const DECODED_LIMIT = 400e6; // bytes of decoded sound in memory
const BYTES_PER_SECOND = 48000 * 2 * 4; // stereo float
const PICTURE_NEAR = 0.02; // seconds
const PICTURE_FAR = 0.3;

export class Player extends EventTarget {
  #media; #tracks; #start; #engine = null; #position = 0; #ready = null; #master = null; #wish = 0; #shares; #fader = null;
  context = null;
  outputs = new Map();

  /** `shares`: those of the speakers in the vocals, or null; also a promise of it. */
  constructor({ media, tracks, start, duration, mixer, shares = null }) {
    super();
    this.#shares = shares;
    this.#media = media;
    this.#tracks = tracks;
    this.#start = start;
    this.duration = duration;
    this.mixer = mixer;
    mixer.addEventListener("change", () => this.#mix());
    const turn = () => {
      this.#tick();
      requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
    // A hidden tab gets no frames, but plays on.
    setInterval(() => document.hidden && this.#tick(), 500);
  }

  get engine() {
    return this.#engine;
  }

  /** What moves the voice by who speaks; null: nothing does. */
  get fader() {
    return this.#fader;
  }

  get playing() {
    return this.#engine?.playing ?? false;
  }

  get time() {
    return Math.min(this.duration, this.playing ? this.#engine.time : this.#position);
  }

  /** Needs a person's press the first time: browsers make no sound before. */
  async play() {
    const wish = ++this.#wish;
    await (this.#ready ??= this.#prepare());
    await this.context?.resume();
    if (wish !== this.#wish) return;
    if (this.#position >= this.duration - 0.05) this.#position = 0;
    await this.#engine.play(this.#position);
    if (wish !== this.#wish) return;
    if (this.#follows) {
      this.#media.currentTime = this.#position;
      await this.#media.play().catch(() => {});
    }
    this.dispatchEvent(new Event("state"));
  }

  pause() {
    this.#wish += 1;
    this.#position = this.time;
    this.#engine?.pause();
    if (this.#follows) this.#media.pause();
    this.dispatchEvent(new Event("state"));
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  async seek(at) {
    this.#position = Math.max(0, Math.min(at, this.duration));
    if (this.playing) await this.#engine.play(this.#position);
    if (this.#media) this.#media.currentTime = this.#position;
    this.dispatchEvent(new Event("time"));
  }

  get #follows() {
    return this.#media !== null && this.#tracks.length > 0;
  }

  async #prepare() {
    if (!this.#tracks.length) {
      this.#engine = new OwnEngine(this.#media);
      return;
    }
    this.context = new AudioContext({ latencyHint: "playback" });
    this.#master = new GainNode(this.context);
    this.#master.connect(this.context.destination);
    for (const { part } of this.#tracks) {
      const output = new GainNode(this.context);
      output.connect(this.#master);
      this.outputs.set(part, output);
    }
    const shares = await this.#shares;
    if (shares && this.outputs.has("vocals")) {
      this.#fader = new SpeakerFader(this.context, shares);
      this.outputs.get("vocals").disconnect();
      this.outputs.get("vocals").connect(this.#fader.node).connect(this.#master);
    }
    this.#mix(0);
    const decoded = this.duration * BYTES_PER_SECOND * this.#tracks.length;
    const Engine = decoded <= DECODED_LIMIT ? BufferEngine : ElementEngine;
    this.#engine = new Engine(this.context, this.#tracks, this.outputs, this.#start);
    this.dispatchEvent(new Event("loading"));
    try {
      await this.#engine.load();
      this.dispatchEvent(new Event("loaded"));
    } catch (error) {
      this.#ready = null;
      await this.context.close();
      this.context = null;
      this.#engine = null;
      this.#fader = null;
      this.dispatchEvent(new Event("failed"));
      throw error;
    }
  }

  #mix(slope = 0.015) {
    if (!this.context) return;
    const now = this.context.currentTime;
    const set = (node, value) => (slope ? node.gain.setTargetAtTime(value, now, slope) : (node.gain.value = value));
    for (const [part, gain] of this.mixer.gains()) set(this.outputs.get(part), gain);
    this.#fader?.set(this.mixer.speakerGains(), this.#engine?.position ?? this.#position);
    const mixed = this.mixer.hearsMix;
    set(this.#master, mixed ? 0 : 1);
    if (this.#follows) this.#media.muted = !mixed;
  }

  #tick() {
    if (!this.playing) return;
    this.#fader?.follow(this.#engine.position);
    const { time } = this;
    if (time >= this.duration) {
      this.pause();
      this.#position = this.duration;
    } else if (this.#follows && !this.#media.paused) {
      steer(this.#media, time, PICTURE_NEAR, PICTURE_FAR);
    }
    this.dispatchEvent(new Event("time"));
  }
}
