// Faders, mute and solo of the stems, and of the speakers within the voice.

const PARTS_OF_BACKGROUND = ["music", "sfx", "ambient"];

export class Mixer extends EventTarget {
  #rows; #choices; #speakers;

  constructor(rows, choices, speakers) {
    super();
    this.#rows = rows;
    this.#choices = choices;
    this.#speakers = speakers;
    for (const row of [...rows, ...speakers]) this.#wire(row);
    for (const choice of choices) choice.addEventListener("change", () => this.#changed());
    this.#show();
  }

  /** True when the finished mix is heard instead of the stems. */
  get hearsMix() {
    return this.#choices.some((choice) => choice.checked && choice.value === "mix");
  }

  /**
   * Gain of each stem's node. Music, effects and ambience are in the background already, so theirs is
   * the difference to it: what is heard is exact whether or not they make up the whole background.
   */
  gains() {
    const heard = new Map(this.#rows.map((row) => [row.dataset.part, this.#heard(row)]));
    const rest = heard.get("background");
    if (rest === undefined) return heard;
    return new Map([...heard].map(([part, gain]) => [part, PARTS_OF_BACKGROUND.includes(part) ? gain - rest : gain]));
  }

  /** Gain of each speaker within the voice, by id. */
  speakerGains() {
    return new Map(this.#speakers.map((row) => [row.dataset.speaker, this.#heardAmong(this.#speakers, row)]));
  }

  /** A speaker alone is the voice alone, without the other speakers. */
  #heard(row) {
    const isVoice = row.dataset.part === "vocals";
    const speakerAlone = this.#speakers.some((other) => pressed(other, ".solo"));
    if (speakerAlone && !isVoice && !pressed(row, ".solo")) return 0;
    return this.#heardAmong(this.#rows, row, speakerAlone && isVoice);
  }

  #heardAmong(rows, row, isAlone = false) {
    const alone = rows.some((other) => pressed(other, ".solo"));
    const silent = pressed(row, ".mute") || (alone && !isAlone && !pressed(row, ".solo"));
    return silent ? 0 : Number(row.querySelector(".gain").value);
  }

  #wire(row) {
    const press = (kind) => {
      const button = row.querySelector(kind);
      button.setAttribute("aria-pressed", String(!pressed(row, kind)));
      this.#changed();
    };
    for (const kind of [".mute", ".solo"]) row.querySelector(kind).addEventListener("click", () => press(kind));
    row.querySelector(".gain").addEventListener("input", () => this.#changed());
    row.addEventListener("keydown", (event) => {
      const kind = { m: ".mute", s: ".solo" }[event.key.toLowerCase()];
      if (!kind || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      event.preventDefault();
      press(kind);
    });
  }

  #changed() {
    this.#show();
    this.dispatchEvent(new Event("change"));
  }

  #show() {
    const heard = new Map(this.#rows.map((row) => [row, this.#heard(row)]));
    const voice = this.#rows.some((row) => row.dataset.part === "vocals" && heard.get(row));
    const speakers = this.speakerGains();
    for (const row of this.#speakers) heard.set(row, voice ? speakers.get(row.dataset.speaker) : 0);
    for (const [row, gain] of heard) {
      const shown = `${Math.round(Number(row.querySelector(".gain").value) * 100)} %`;
      row.querySelector(".gain-shown").value = shown;
      row.querySelector(".gain").setAttribute("aria-valuetext", shown);
      row.classList.toggle("silent", this.hearsMix || gain === 0);
    }
  }
}

function pressed(row, kind) {
  return row.querySelector(kind).getAttribute("aria-pressed") === "true";
}
