// Faders, mute and solo of the stems.

const PARTS_OF_BACKGROUND = ["music", "sfx", "ambient"];

export class Mixer extends EventTarget {
  #rows; #choices;

  constructor(rows, choices) {
    super();
    this.#rows = rows;
    this.#choices = choices;
    for (const row of rows) this.#wire(row);
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

  #heard(row) {
    const alone = this.#rows.some((other) => pressed(other, ".solo"));
    const silent = pressed(row, ".mute") || (alone && !pressed(row, ".solo"));
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
    for (const row of this.#rows) {
      const shown = `${Math.round(Number(row.querySelector(".gain").value) * 100)} %`;
      row.querySelector(".gain-shown").value = shown;
      row.querySelector(".gain").setAttribute("aria-valuetext", shown);
      row.classList.toggle("silent", this.hearsMix || this.#heard(row) === 0);
    }
  }
}

function pressed(row, kind) {
  return row.querySelector(kind).getAttribute("aria-pressed") === "true";
}
