// The transcript: marks the word that is heard, follows it, seeks by a click.

const LATENESS = 0.25; // seconds that a word stays marked after its end
const LEFT_ALONE = 4000; // milliseconds without following after a person scrolled

export function followTranscript(list, player, follow) {
  const words = [...list.querySelectorAll(".word")].sort((a, b) => a.dataset.at - b.dataset.at);
  const starts = words.map((word) => Number(word.dataset.at));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let marked = null;
  let scrolled = 0;
  for (const kind of ["wheel", "touchmove"]) {
    list.addEventListener(kind, () => (scrolled = performance.now()), { passive: true });
  }

  list.addEventListener("click", (event) => {
    const target = event.target.closest("[data-at]");
    // A click that ends a selection of text is no wish to seek.
    if (!target || (!target.matches("button") && String(getSelection()))) return;
    scrolled = 0;
    player.seek(Number(target.dataset.at));
  });

  player.addEventListener("time", () => {
    const word = wordAt(words, starts, player.time);
    if (word === marked) return;
    marked?.classList.remove("now");
    marked?.closest(".turn").classList.remove("current");
    marked = word;
    if (!word) return;
    word.classList.add("now");
    word.closest(".turn").classList.add("current");
    if (follow.checked && performance.now() - scrolled > LEFT_ALONE) reveal(list, word, calm.matches);
  });
}

function wordAt(words, starts, time) {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= time + 0.001) low = middle + 1;
    else high = middle;
  }
  const word = words[low - 1];
  return word && time <= Number(word.dataset.end) + LATENESS ? word : null;
}

/** Scrolls the list alone, never the page. */
function reveal(list, word, calm) {
  const line = word.getBoundingClientRect();
  const room = list.getBoundingClientRect();
  if (line.top > room.top + 8 && line.bottom < room.top + list.clientHeight * 0.75) return;
  const top = list.scrollTop + line.top - room.top - list.clientHeight * 0.3;
  list.scrollTo({ top, behavior: calm ? "auto" : "smooth" });
}
