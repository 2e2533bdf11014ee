// What can be undone and redone.

export class UndoStack extends EventTarget {
  #send; #done = []; #undone = [];

  /** @param {(edits: object[]) => Promise<object | null>} send Saves edits; its answer has what undoes them. */
  constructor(send) {
    super();
    this.#send = send;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Note what undoes an edit that was made just now. */
  push(edits) {
    if (!edits?.length) return;
    this.#done.push(edits);
    this.#undone = [];
    this.#tell();
  }

  undo() {
    return this.#move(this.#done, this.#undone);
  }

  redo() {
    return this.#move(this.#undone, this.#done);
  }

  async #move(from, to) {
    const edits = from.pop();
    if (!edits) return null;
    this.#tell();
    try {
      const answer = await this.#send(edits);
      if (answer?.undo?.length) to.push(answer.undo);
      return answer;
    } catch (error) {
      // What was changed by another person since can never be undone.
      if (error.isPassing) from.push(edits);
      throw error;
    } finally {
      this.#tell();
    }
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
