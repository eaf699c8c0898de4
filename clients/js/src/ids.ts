// Ids are 63-bit integers in decimal, too large for a number of JavaScript.

/** Below 0: `a` is older. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

export function newer(a: string, b: string | null | undefined): boolean {
  return !b || compareIds(a, b) > 0;
}

/** UUIDv7 that grow strictly within one page: a message's nonce also says in which order they were written. */
export class Nonces {
  #ms = 0;
  #count = 0;

  /** None below this one is made any more. */
  floor(nonce: string): void {
    const ms = parseInt(nonce.slice(0, 8) + nonce.slice(9, 13), 16);
    const count = parseInt(nonce.slice(15, 18), 16);
    if (ms > this.#ms || (ms === this.#ms && count > this.#count)) [this.#ms, this.#count] = [ms, count];
  }

  next(now = Date.now()): string {
    const random = crypto.getRandomValues(new Uint8Array(8));
    if (now > this.#ms) [this.#ms, this.#count] = [now, 0];
    else if (++this.#count > 0xfff) [this.#ms, this.#count] = [this.#ms + 1, 0];
    const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
    random[0] = (random[0]! & 0x3f) | 0x80;
    const tail = [...random].map((byte) => hex(byte, 2)).join('');
    const ms = hex(this.#ms, 12);
    return `${ms.slice(0, 8)}-${ms.slice(8)}-7${hex(this.#count, 3)}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  }
}
