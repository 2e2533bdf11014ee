// Keys of the editor.

/**
 * What a key asks for: `{ act, value }`, or null.
 *
 * @param {KeyboardEvent} event
 * @param {{ isField: boolean, isDirty: boolean }} place Whether it was pressed in a field, and one that was typed in.
 */
export function readKey(event, { isField, isDirty }) {
  if (event.isComposing) return null;
  const command = event.ctrlKey || event.metaKey;
  if (event.altKey && !command) return readAlt(event);
  if (command && event.code === "KeyZ" && !isDirty) return { act: event.shiftKey ? "redo" : "undo" };
  if (event.ctrlKey && event.code === "KeyY" && !isDirty) return { act: "redo" };
  if (event.ctrlKey && event.code === "Space") return { act: "toggle" };
  if (!isField || event.altKey) return null;
  if (event.key === "Enter") return { act: command ? "save" : event.shiftKey ? "split" : "next" };
  return event.key === "Escape" ? { act: "drop" } : null;
}

function readAlt(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  if (digit) return { act: "speaker", value: Number(digit) };
  const acts = { ArrowDown: "next", ArrowUp: "previous", KeyP: "toggle", KeyM: "merge", KeyN: "add" };
  return acts[event.code] && !event.shiftKey ? { act: acts[event.code] } : null;
}
