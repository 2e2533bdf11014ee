// The waveform of each stem, drawn by wavesurfer.js from what the server measured.

import WaveSurfer from "./vendor/wavesurfer/wavesurfer.esm.js";

export async function drawWaveforms(rows, player, nonce) {
  const waves = await Promise.all(rows.map((row) => draw(row, player, nonce).catch(() => null)));
  const drawn = waves.filter(Boolean);
  const show = () => drawn.forEach((wave) => wave.setTime(Math.min(player.time, wave.getDuration())));
  player.addEventListener("time", show);
  const recolour = () => drawn.forEach((wave, index) => wave.setOptions(colours(rows[index])));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  return drawn;
}

async function draw(row, player, nonce) {
  const answer = await fetch(row.dataset.waveform);
  if (!answer.ok) throw new Error(`${answer.status}`);
  const wave = WaveSurfer.create({
    container: row.querySelector(".wave"),
    peaks: [await answer.json()],
    duration: player.duration,
    height: row.dataset.speaker === undefined ? 44 : 28,
    barWidth: 2,
    barGap: 1,
    barRadius: 2,
    cursorWidth: 1,
    normalize: true,
    hideScrollbar: true,
    cspNonce: nonce,
    ...colours(row),
  });
  wave.on("interaction", (time) => player.seek(time));
  return wave;
}

function colours(row) {
  const style = getComputedStyle(row);
  const read = (name) => style.getPropertyValue(name).trim();
  return { waveColor: read("--wave"), progressColor: read("--part"), cursorColor: read("--text") };
}
