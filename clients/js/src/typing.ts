// Who writes in a room at the moment: each for a few seconds after the server said so.
const SHOWN_MS = 5_000;
const TOLD_EVERY_MS = 3_500;

export class Typing {
  /** User ids; a new array after each change. */
  users: readonly string[] = [];
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #toldAt = 0;

  constructor(readonly changed: () => void) {}

  begins(userId: string): void {
    clearTimeout(this.#timers.get(userId));
    this.#timers.set(userId, setTimeout(() => this.ends(userId), SHOWN_MS));
    if (!this.users.includes(userId)) this.users = [...this.users, userId];
    this.changed();
  }

  ends(userId: string): void {
    if (!this.#timers.has(userId)) return;
    clearTimeout(this.#timers.get(userId));
    this.#timers.delete(userId);
    this.users = this.users.filter((each) => each !== userId);
    this.changed();
  }

  clear(): void {
    for (const userId of [...this.#timers.keys()]) this.ends(userId);
  }

  /** Whether it is time to tell the others again that I write. */
  isDue(): boolean {
    if (Date.now() - this.#toldAt < TOLD_EVERY_MS) return false;
    this.#toldAt = Date.now();
    return true;
  }
}
