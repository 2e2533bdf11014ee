// Sends a clip by the tus protocol, 1.0.0: piece by piece, and on from where it was after any interruption.

import { say } from "./texts.js";

const PIECE_BYTES = 8 * 1024 * 1024;
const RETRY_MS = [1000, 2000, 5000, 10000, 20000];
const TUS = { "Tus-Resumable": "1.0.0" };
const part = (id) => document.getElementById(id);
const state = { file: null, offset: 0, paused: false, sending: false, failures: 0, request: null, began: 0, from: 0 };

function tell(key, values = {}, kind = "") {
  part("word").textContent = key ? say(key, values) : "";
  part("word").className = kind;
}

function tellText(text, kind) {
  part("word").textContent = text;
  part("word").className = kind;
}

const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`);

function show(offset) {
  const whole = state.file.size;
  part("bar").value = whole ? (100 * offset) / whole : 0;
  const seconds = (performance.now() - state.began) / 1000;
  const speed = seconds > 2 ? (offset - state.from) / seconds : 0;
  const left = speed > 0 ? Math.ceil((whole - offset) / speed) : 0;
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  const values = { done: size(offset), whole: size(whole), left: clock };
  part("amount").textContent = say(left ? "upload-going" : "upload-sent", values);
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function create(file) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name.slice(-180))));
  const headers = { ...TUS, "Upload-Length": String(file.size), "Upload-Metadata": `filename ${name}` };
  return fetch("files", { method: "POST", headers });
}

/** Sends one piece; resolves with the new offset, or null when the connection was lost. */
function send(piece, offset) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    state.request = request;
    request.open("PATCH", "files/clip");
    for (const [name, value] of Object.entries(TUS)) request.setRequestHeader(name, value);
    request.setRequestHeader("Upload-Offset", String(offset));
    request.setRequestHeader("Content-Type", "application/offset+octet-stream");
    request.upload.onprogress = (event) => show(offset + event.loaded);
    request.onload = () => done(request.status === 204 ? Number(request.getResponseHeader("Upload-Offset")) : null);
    request.onerror = request.onabort = request.ontimeout = () => done(null);
    request.send(piece);
  });
}

async function askOffset() {
  const answer = await fetch("files/clip", { method: "HEAD", headers: TUS });
  if (answer.status === 410 || answer.status === 403) throw new Error("ended");
  if (!answer.ok) throw new Error("away");
  return Number(answer.headers.get("Upload-Offset"));
}

async function run() {
  if (state.sending) return;
  state.sending = true;
  state.began = performance.now();
  state.from = state.offset;
  try {
    while (state.offset < state.file.size && !state.paused) {
      const offset = await send(state.file.slice(state.offset, state.offset + PIECE_BYTES), state.offset);
      if (offset !== null) {
        state.offset = offset;
        state.failures = 0;
        tell("");
      } else if (!state.paused) {
        tell("upload-waiting");
        await wait(RETRY_MS[Math.min(state.failures++, RETRY_MS.length - 1)]);
        try {
          state.offset = await askOffset();
          state.began = performance.now();
          state.from = state.offset;
        } catch (error) {
          if (error.message === "ended") return fail(say("upload-ended"));
        }
      }
      show(state.offset);
    }
  } finally {
    state.sending = false;
  }
  if (state.offset >= state.file.size) await settle();
}

/** Waits until the bot has taken the clip, or says why not. */
async function settle() {
  part("pause").hidden = part("cancel").hidden = true;
  tell("upload-checking");
  for (;;) {
    const answer = await fetch("state").catch(() => null);
    const told = answer?.ok ? await answer.json() : null;
    if (told?.state === "done") return tell("upload-done", {}, "good");
    if (told?.state === "refused") return fail(told.text);
    await wait(700);
  }
}

function fail(text) {
  part("sending").hidden = true;
  tellText(text, "bad");
}

/** Creates the upload; where a lost connection or another window still holds it, tries again for a while. */
async function createInTurn(file) {
  for (const pause of RETRY_MS) {
    const answer = await create(file).catch(() => null);
    if (answer?.status !== 423) return answer;
    tell("upload-busy");
    await wait(pause);
  }
  return create(file).catch(() => null);
}

async function begin(file) {
  const answer = await createInTurn(file);
  if (answer === null || answer.status >= 500) return tell("upload-again", {}, "bad");
  if (answer.status === 423) return tell("upload-busy", {}, "bad");
  if (answer.status === 400) return tellText(await answer.text(), "bad");
  if (answer.status !== 201) return tell("upload-ended", {}, "bad");
  Object.assign(state, { file, paused: false, failures: 0, offset: await askOffset().catch(() => 0) });
  part("name").textContent = file.name;
  part("drop").hidden = true;
  part("sending").hidden = part("pause").hidden = part("cancel").hidden = false;
  tell("");
  show(state.offset);
  await run();
}

part("file").addEventListener("change", (event) => event.target.files[0] && begin(event.target.files[0]));
for (const name of ["dragover", "dragenter"]) {
  part("drop").addEventListener(name, (event) => {
    event.preventDefault();
    part("drop").classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) part("drop").addEventListener(name, () => part("drop").classList.remove("over"));
part("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) begin(event.dataTransfer.files[0]);
});
part("pause").addEventListener("click", () => {
  state.paused = !state.paused;
  part("pause").textContent = say(state.paused ? "upload-resume" : "upload-pause");
  if (state.paused) {
    state.request?.abort();
    tell("upload-paused");
  } else {
    askOffset().then((offset) => {
      state.offset = offset;
      tell("");
      return run();
    }, () => tell("upload-waiting"));
  }
});
part("cancel").addEventListener("click", async () => {
  state.paused = true;
  state.request?.abort();
  for (const pause of RETRY_MS) {
    const answer = await fetch("files/clip", { method: "DELETE", headers: TUS }).catch(() => null);
    if (answer?.status !== 423) break;
    await wait(pause);
  }
  part("sending").hidden = true;
  part("drop").hidden = false;
  part("file").value = "";
  tell("upload-stopped");
});

const told = await fetch("state").then((answer) => answer.json(), () => null);
if (told?.state === "under-way") tell("upload-other", { name: told.name, done: size(told.offset), whole: size(told.length) });
if (told?.state === "done") {
  part("drop").hidden = true;
  tell("upload-done", {}, "good");
}
