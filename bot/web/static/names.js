// Gives speakers their names.

export function wireNames(form, captions) {
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
      show(form, await answer.json());
      if (captions) captions.src = `captions.vtt?${Date.now()}`;
      told.textContent = form.dataset.saved;
    } catch {
      told.textContent = form.dataset.failed;
    } finally {
      button.disabled = false;
    }
  });
}

function show(form, names) {
  for (const place of document.querySelectorAll(".name[data-speaker]")) {
    place.textContent = names[place.dataset.speaker] ?? place.textContent;
  }
  for (const field of form.querySelectorAll("input")) {
    field.value = names[field.name];
    field.setAttribute("aria-label", names[field.name]);
  }
}
