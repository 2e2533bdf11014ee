// The waveform of each stem, drawn by wavesurfer.js from what the server measured.

import WaveSurfer from "./vendor/wavesurfer/wavesurfer.esm.js";

/** Draw the stems, and then the speakers one by one, once they are shown: the server measures one file at a time. */
export async function drawWaveforms(rows, speakers, player, nonce) {
  const drawn = new Map();
  const show = () => drawn.forEach((wave) => wave.setTime(Math.min(player.time, wave.getDuration())));
  player.addEventListener("time", show);
  const recolour = () => drawn.forEach((wave, row) => wave.setOptions(colours(row)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  const add = async (row) => {
    const wave = await draw(row, player, nonce).catch(() => null);
    if (wave) drawn.set(row, wave);
    show();
  };
  await Promise.all(rows.map(add));
  const place = speakers[0]?.closest("details");
  if (place && !place.open) await new Promise((done) => place.addEventListener("toggle", done, { once: true }));
  for (const row of speakers) await add(row);
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
