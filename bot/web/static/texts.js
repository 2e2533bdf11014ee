// The sentences of the page, which the server wrote into it in the reader's language.

const texts = new Map([...document.querySelectorAll(".texts data")].map((entry) => [entry.value, entry.textContent]));

/** A sentence with its values put in. */
export function say(key, values = {}) {
  return (texts.get(key) ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
