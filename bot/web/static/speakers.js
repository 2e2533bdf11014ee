// Faders of speakers. Each speaker's track is a share of the vocals that changes with time, so a page plays the vocals
// alone and moves their gain: that is the sum of the tracks, however many there are.

const AHEAD = 4; // seconds for which gains are set in advance: a hidden tab comes to it once a second
const LEFT = 2; // seconds of these that are left when the next ones are set
const NEAR = 0.03; // seconds that the sound may be from where it was thought to be
const SLOPE = 0.02; // seconds in which a fader's move is heard

/** Who has which share of the vocals when, as `speaker-stems.json` tells it. */
export class Shares {
  #points;

  constructor({ fade, stretches }) {
    const length = ({ start, end }) => end - start;
    const halves = stretches.map((each, place) => (place ? Math.min(fade, length(stretches[place - 1]), length(each)) / 2 : 0));
    this.#points = stretches.flatMap(({ start, end, speakers }, place) => [
      { at: start + halves[place], speakers },
      { at: end - (halves[place + 1] ?? 0), speakers },
    ]);
  }

  /** Gain of the vocals at a time, by the gain of each speaker. */
  level(time, gains) {
    const points = this.#points;
    const place = this.#after(time);
    if (!points.length) return 1;
    if (place === 0 || place === points.length) return mean(points[Math.max(0, place - 1)], gains);
    const [before, after] = [points[place - 1], points[place]];
    const [from, to] = [mean(before, gains), mean(after, gains)];
    return from + ((to - from) * (time - before.at)) / (after.at - before.at);
  }

  /** Times between two at which the gain begins or ends to change, with the gains. */
  between(start, end, gains) {
    const points = this.#points.slice(this.#after(start), this.#after(end));
    return points.map((point) => [point.at, mean(point, gains)]);
  }

  #after(time) {
    let [low, high] = [0, this.#points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#points[middle].at <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Those who speak at once have equal shares. */
function mean({ speakers }, gains) {
  return speakers.reduce((sum, speaker) => sum + (gains.get(speaker) ?? 1), 0) / speakers.length;
}

/** Moves the gain of the vocals with the sound. Positions are seconds on the clip's clock that are rendered now. */
export class SpeakerFader {
  #context; #shares; #gains = new Map(); #offset = 0; #until = 0;

  constructor(context, shares) {
    this.#context = context;
    this.#shares = shares;
    this.node = new GainNode(context);
  }

  /** Take other gains of the speakers. */
  set(gains, position) {
    const before = this.#gains;
    this.#gains = gains;
    this.#plan(position, before);
  }

  /** Go on with the sound, which may have jumped. */
  follow(position) {
    if ([...this.#gains.values()].every((gain) => gain === 1)) return;
    const now = this.#context.currentTime;
    if (now + LEFT < this.#until && Math.abs(position - now - this.#offset) < NEAR) return;
    this.#plan(position, this.#gains);
  }

  #plan(position, before) {
    const { gain } = this.node;
    const now = this.#context.currentTime;
    const soon = position + SLOPE;
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(this.#shares.level(position, before), now);
    gain.linearRampToValueAtTime(this.#shares.level(soon, this.#gains), now + SLOPE);
    for (const [at, level] of this.#shares.between(soon, position + AHEAD, this.#gains)) {
      gain.linearRampToValueAtTime(level, now + at - position);
    }
    this.#offset = position - now;
    this.#until = now + AHEAD;
  }
}

/** The shares of a result; null, and no faders of speakers, where they cannot be read. */
export async function loadShares(place) {
  try {
    const answer = await fetch(place.dataset.shares);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return new Shares(await answer.json());
  } catch {
    place.hidden = true;
    return null;
  }
}

/** Let rows have the names that the speakers have now. */
export function followNames(rows, lines) {
  const names = new Map(lines.speakers.map(({ id, name }) => [id, name]));
  for (const row of rows) {
    const name = names.get(row.dataset.speaker);
    if (name === undefined) continue;
    row.querySelector(".part").textContent = name;
    row.setAttribute("aria-label", name);
    for (const control of row.querySelectorAll("[data-label]")) control.setAttribute("aria-label", `${control.dataset.label}: ${name}`);
  }
}
