// Keeps the page of a running job up to date, and goes over to its result once that is there.

const PAUSE = 2000; // milliseconds between two looks

async function look() {
  const answer = await fetch(location.href, { cache: "no-store", redirect: "manual" });
  if (answer.status >= 500) throw new Error("The server is away.");
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok || !found.querySelector("[data-pending]")) {
    location.reload();
    return;
  }
  const parts = [...document.querySelectorAll("[data-part]")];
  [...found.querySelectorAll("[data-part]")].forEach((part, place) => parts[place].replaceWith(part));
  // What somebody listens to stays; new stems are put behind.
  const stems = document.querySelector("#stems");
  const known = new Set([...stems.querySelectorAll("audio")].map((audio) => audio.getAttribute("src")));
  for (const stem of found.querySelectorAll("#stems .stem")) {
    if (!known.has(stem.querySelector("audio").getAttribute("src"))) stems.append(stem);
  }
  stems.hidden = !stems.querySelector("audio");
  setTimeout(go, PAUSE);
}

function go() {
  // Without a network, and while the server is away, it tries again.
  look().catch(() => setTimeout(go, PAUSE));
}

setTimeout(go, PAUSE);
