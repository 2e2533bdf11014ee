// Plays one line.

const MARGIN = 0.15; // seconds after its end: the last sound fades
const NEAR = 0.5; // seconds beyond which a person has gone elsewhere

export class LinePlayer {
  #player; #line = null;

  constructor(player) {
    this.#player = player;
    player.addEventListener("time", () => this.#stop());
  }

  /** Play a line to its end, or pause where it plays. */
  async play(line) {
    const { time, playing } = this.#player;
    if (playing && time >= line.start - MARGIN && time < line.end + MARGIN) {
      this.#player.pause();
      return;
    }
    this.#line = null;
    await this.#player.seek(line.start);
    this.#line = line;
    if (!this.#player.playing) await this.#player.play();
  }

  /** Pause, or play on: from the line's beginning where the position is elsewhere. */
  async toggle(line) {
    this.#line = null;
    const { time, playing } = this.#player;
    if (!playing && line && (time < line.start - MARGIN || time > line.end)) await this.#player.seek(line.start);
    await this.#player.toggle();
  }

  #stop() {
    if (!this.#line || !this.#player.playing) return;
    const { time } = this.#player;
    const past = time - this.#line.end;
    if (time < this.#line.start - NEAR || past > NEAR) this.#line = null;
    else if (past >= MARGIN) this.#player.pause();
  }
}
