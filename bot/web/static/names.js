// Gives speakers their names.

/** @param {import("./transcript/lines.js").Lines} lines Take the new names, and say which speakers there are. */
export function wireNames(form, lines) {
  const told = form.querySelector("#names-told");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const names = Object.fromEntries(new FormData(form));
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await fetch("names", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(names),
      });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const given = await answer.json();
      for (const field of form.querySelectorAll("input")) field.defaultValue = field.value;
      lines.rename(given);
      told.textContent = form.dataset.saved;
    } catch {
      told.textContent = form.dataset.failed;
    } finally {
      button.disabled = false;
    }
  });
  lines.addEventListener("change", ({ detail }) => detail.voices && show(form, lines));
}

/** One field for each speaker; what a person is typing stays. */
function show(form, lines) {
  const labels = new Map([...form.querySelectorAll("label")].map((label) => [label.querySelector("input").name, label]));
  for (const { id, name } of lines.speakers) {
    const label = labels.get(id) ?? addField(form, id, lines.speaker(id).colour);
    labels.delete(id);
    const field = label.querySelector("input");
    field.setAttribute("aria-label", name);
    if (field.value === field.defaultValue) field.value = name;
    field.defaultValue = name;
  }
  for (const label of labels.values()) label.remove();
}

function addField(form, id, colour) {
  const label = form.querySelector("label").cloneNode(true);
  label.className = `speaker-${colour}`;
  label.querySelector("input").name = id;
  form.querySelector("button").before(label);
  return label;
}
