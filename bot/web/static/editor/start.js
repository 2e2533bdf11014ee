// Joins the editor with what a person does on the page.

import { spans } from "../transcript/words.js";
import { Acts } from "./acts.js";
import { Bar } from "./bar.js";
import { NEW } from "./draft.js";
import { Editor } from "./editor.js";
import { readKey } from "./keys.js";
import { LineTools } from "./line_tools.js";

/** Let a transcript be edited by those who may. */
export function startEditor({ transcript, player, bar, button, template }) {
  const { lines, list, sync, scroller, follow } = transcript;
  const tools = new LineTools(template, lines);
  const editor = new Editor({ lines, list, sync, tools });
  const acts = new Acts({ editor, lines, list, player });
  transcript.editor = editor;
  follow.isTaken = () => editor.on;
  follow.isBusy = () => editor.on && scroller.contains(document.activeElement) && editor.active !== null;
  new Bar({ bar, button, editor, acts, lines, sync });
  wireTouch({ scroller, editor, acts, player, lines });
  wireTyping({ scroller, editor, tools });
  wireKeys({ editor, acts });
  // The keyboard of a screen takes room.
  new ResizeObserver(() => {
    if (document.activeElement?.matches("#turns textarea")) list.reveal(editor.active);
  }).observe(scroller);
  addEventListener("beforeunload", (event) => editor.isDirty && event.preventDefault());
  document.addEventListener("visibilitychange", () => document.hidden && editor.active && editor.save(editor.active));
  return editor;
}

const keyOf = (target) => target.closest?.("[data-line]")?.dataset.line ?? null;

function wireTouch({ scroller, editor, acts, player, lines }) {
  // The field keeps the focus, its selection and the keyboard of the screen.
  scroller.addEventListener("mousedown", (event) => event.target.closest(".tools button") && event.preventDefault());
  scroller.addEventListener("click", (event) => {
    const key = keyOf(event.target);
    if (!editor.on || !key) return;
    const button = event.target.closest("[data-act]");
    if (button) {
      acts.perform({ act: button.dataset.act, value: button.dataset.speaker ?? button.dataset.word }, key);
    } else if (!event.target.closest(".tools, .at") && !String(getSelection())) {
      const word = event.target.closest(".word");
      if (word && !player.playing) player.seek(Number(word.dataset.at));
      editor.activate(key, { cursor: cursorAt(event, lines.line(key)) });
    }
  });
}

/** Where in the text of a line a click was. */
function cursorAt(event, line) {
  const said = event.target.closest(".said");
  if (!said || !line) return null;
  const found = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  const range = found ? null : document.caretRangeFromPoint?.(event.clientX, event.clientY);
  const [node, offset] = found ? [found.offsetNode, found.offset] : [range?.startContainer, range?.startOffset];
  if (node && said.contains(node)) {
    const before = document.createRange();
    before.setStart(said, 0);
    before.setEnd(node, offset);
    return before.toString().length;
  }
  const index = [...said.querySelectorAll(".word")].indexOf(event.target.closest(".word"));
  return spans(line)[index]?.[1] ?? null;
}

function wireTyping({ scroller, editor, tools }) {
  const keyOfField = (target) => (target.matches?.("textarea") ? keyOf(target) : null);
  scroller.addEventListener("input", (event) => {
    const key = keyOfField(event.target);
    if (key) editor.type(key, event.target);
  });
  scroller.addEventListener("focusin", (event) => {
    const key = keyOfField(event.target);
    if (key && key !== editor.active) editor.activate(key, { focus: false });
  });
  scroller.addEventListener("focusout", (event) => {
    const key = keyOfField(event.target);
    if (key && key !== NEW && keyOf(event.relatedTarget ?? document.body) !== key) editor.save(key);
  });
  document.addEventListener("selectionchange", () => {
    const field = document.activeElement;
    const key = scroller.contains(field) ? keyOfField(field) : null;
    const draft = editor.drafts.get(key);
    if (draft) tools.tellRun(field.closest(".tools"), draft.run(field.selectionStart, field.selectionEnd), draft);
  });
}

function wireKeys({ editor, acts }) {
  document.addEventListener("keydown", (event) => {
    if (!editor.on) return;
    const { target } = event;
    const field = target.closest("#turns textarea");
    // Other fields of the page have keys of their own.
    if (!field && target.closest("input:not([type=checkbox], [type=radio], [type=range]), textarea")) return;
    const key = keyOf(target);
    if (key && target.matches(".turn") && event.key === "Enter") {
      event.preventDefault();
      editor.activate(key);
      return;
    }
    const isDirty = field ? editor.drafts.get(key)?.isDirty : false;
    const act = readKey(event, { isField: field !== null, isDirty });
    if (!act) return;
    event.preventDefault();
    acts.perform(act, field ? key : editor.active);
  });
}
