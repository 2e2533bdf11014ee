// Puts the page together.

import { clock } from "./clock.js";
import { startEditor } from "./editor/start.js";
import { Mixer } from "./mixer.js";
import { wireNames } from "./names.js";
import { Player } from "./player.js";
import { followNames, loadShares } from "./speakers.js";
import { Transcript } from "./transcript/transcript.js";
import { drawWaveforms } from "./waveforms.js";

const CAPTIONS_LATER = 3000; // milliseconds in which edits follow one another
const STEP = 5; // seconds that an arrow key goes
const find = (selector) => document.querySelector(selector);
const said = document.body.dataset;
const rows = [...document.querySelectorAll(".track:not([data-speaker])")];
const speakers = [...document.querySelectorAll(".track[data-speaker]")];
const media = find("#media");

export const mixer = new Mixer(rows, [...document.querySelectorAll("input[name=hear]")], speakers);
export const player = new Player({
  media,
  tracks: rows.map((row) => ({ part: row.dataset.part, url: row.dataset.url })),
  start: Number(said.start),
  duration: Number(said.duration),
  mixer,
  shares: speakers.length ? loadShares(find("#speakers")) : null,
});

if (find("#play")) wireTransport();
if (rows.length) drawWaveforms(rows, speakers, player, document.body.dataset.nonce);
export const transcript = find("#turns") ? wireTranscript() : null;
if (find("#captions")) wireCaptions(transcript?.lines);
find("#view-only")?.addEventListener("focus", (event) => event.target.select());

function wireTranscript() {
  const transcript = new Transcript({ scroller: find("#turns"), player, follow: find("#follow"), find: find("#find") });
  const { lines } = transcript;
  lines.addEventListener("change", ({ detail }) => detail.voices && followNames(speakers, lines));
  if (find("#names")) wireNames(find("#names"), lines);
  if (find("#edit")) {
    const template = find("#line-tools");
    startEditor({ transcript, player, bar: find("#edit-bar"), button: find("#edit"), template });
  }
  return transcript;
}

function wireTransport() {
  const button = find("#play");
  const seek = find("#seek");
  const notice = find("#notice");
  const toggle = () => Promise.resolve(player.toggle()).catch(() => (notice.textContent = said.failed));
  button.addEventListener("click", toggle);
  media?.addEventListener("click", toggle);
  seek.addEventListener("input", () => player.seek(Number(seek.value)));
  player.addEventListener("loading", () => (notice.textContent = said.loading));
  player.addEventListener("loaded", () => (notice.textContent = ""));
  player.addEventListener("failed", () => (notice.textContent = said.failed));
  player.addEventListener("state", () => {
    document.body.classList.toggle("playing", player.playing);
    button.setAttribute("aria-label", player.playing ? said.pause : said.play);
  });
  const show = () => {
    const time = clock(player.time);
    seek.value = String(player.time);
    seek.style.setProperty("--done", `${(player.time / player.duration) * 100}%`);
    seek.setAttribute("aria-valuetext", time);
    if (find("#time").value !== time) find("#time").value = time;
  };
  player.addEventListener("time", show);
  player.addEventListener("state", show);
  for (const jump of document.querySelectorAll("#chapters button")) {
    jump.addEventListener("click", () => player.seek(Number(jump.dataset.at)));
  }
  const goToAddress = () => {
    const at = Number(new URLSearchParams(location.hash.slice(1)).get("t"));
    if (at > 0) player.seek(at);
  };
  window.addEventListener("hashchange", goToAddress);
  goToAddress();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const control = event.target.closest("input, button, a, summary, textarea, select");
    if (event.key === " " && (!control || control.matches("input[type=range], input[type=radio]"))) {
      event.preventDefault();
      toggle();
    } else if (["ArrowLeft", "ArrowRight"].includes(event.key) && !control?.matches("input, textarea")) {
      event.preventDefault();
      player.seek(player.time + (event.key === "ArrowLeft" ? -STEP : STEP));
    }
  });
}

/** Switches captions, which follow the transcript: while they are shown, since the server makes them anew. */
function wireCaptions(lines) {
  const captions = find("#captions");
  const button = find("#caption-switch");
  let isStale = false;
  let waiting = 0;
  const renew = () => {
    if (!isStale || captions.track.mode !== "showing") return;
    isStale = false;
    captions.src = `captions.vtt?${Date.now()}`;
  };
  lines?.addEventListener("change", ({ detail }) => {
    if (detail.first) return;
    isStale = true;
    clearTimeout(waiting);
    waiting = setTimeout(renew, CAPTIONS_LATER);
  });
  button?.addEventListener("click", () => {
    const { track } = captions;
    const shown = track.mode !== "showing";
    track.mode = shown ? "showing" : "hidden";
    button.setAttribute("aria-pressed", String(shown));
    renew();
  });
}
