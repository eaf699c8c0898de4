// What the timeline shows, one row for each message, and where each row lies. A row keeps its identity and its measured
// height as long as its message is the same; a change costs the rows that changed, not the whole list.
import type { PendingMessage, TimelineMessage } from '@parley/client';
import { compareIds } from '@parley/client';
import { dayOf } from '@/i18n/dates';
import { fitted, isPicture } from '@/media/box';
import type { OutgoingFile } from '@/media/outgoing';

export type Entry = TimelineMessage | PendingMessage | OutgoingFile;

export interface Row {
  key: string;
  entry: Entry;
  /** The first of its day, of what is new, or not of the same person and time as the one above. */
  day: boolean;
  isNew: boolean;
  following: boolean;
  /** Measured; 0: never drawn yet. */
  height: number;
  at: number;
  dayNumber: number;
}

const GROUP_MS = 5 * 60_000;
const LINE_PX = 22;
const LINE_CHARS = 90;

export function isMessage(entry: Entry): entry is TimelineMessage {
  return 'id' in entry;
}

export function keyOf(entry: Entry): string {
  return 'upload' in entry ? entry.key : entry.nonce ?? (entry as TimelineMessage).id;
}

export class Rows {
  list: Row[] = [];
  /** tops[i] is where row i begins; one more for the end of all. */
  tops = new Float64Array(1);
  /** The row with the "new" line, or -1. */
  newAt = -1;
  #entries: readonly Entry[] = [];
  #newFrom: string | null = null;
  #myId = '';

  get total(): number {
    return this.tops[this.list.length]!;
  }

  /** `newFrom`: what was read when the room was opened; null: nothing is marked as new. */
  update(entries: readonly Entry[], newFrom: string | null, myId: string, hasOlder: boolean): void {
    const before = this.#entries;
    const same = this.#newFrom === newFrom && this.#myId === myId;
    if (before === entries && same) return;
    let head = 0;
    const shorter = Math.min(before.length, entries.length);
    if (same) while (head < shorter && before[head] === entries[head]) head++;
    let tail = 0;
    if (same) while (tail < shorter - head && before.at(-1 - tail) === entries.at(-1 - tail)) tail++;
    const known = new Map<string, Row>();
    for (const row of this.list.slice(head, this.list.length - tail)) known.set(row.key, row);
    const list = this.list.slice(0, head);
    let marked = list.some((row) => row.isNew);
    // Only where it is known that nothing new stands further up, in what is not loaded yet.
    const first = entries[0];
    const reaches = !hasOlder || (newFrom !== null && first && isMessage(first) && compareIds(first.id, newFrom) <= 0);
    const end = entries.length - tail;
    for (let i = head; i < entries.length; i++) {
      const entry = entries[i]!;
      const old = i < end ? known.get(keyOf(entry)) : this.list[this.list.length - (entries.length - i)];
      const isNew = !marked && newFrom !== null && Boolean(reaches) && isMessage(entry) && entry.user_id !== myId
        && compareIds(entry.id, newFrom) > 0;
      const row = made(entry, list[i - 1], isNew, old);
      marked ||= isNew;
      // Behind the change all is as it was, once a row comes out the same.
      if (i > end && row === old && row.isNew === isNew) {
        list.push(...this.list.slice(this.list.length - (entries.length - i)));
        break;
      }
      list.push(row);
    }
    this.list = list;
    this.newAt = newFrom === null ? -1 : list.findIndex((row) => row.isNew);
    this.#entries = entries;
    this.#newFrom = newFrom;
    this.#myId = myId;
    this.layOut(Math.min(head, list.length));
  }

  /** Where the rows from `first` on lie. */
  layOut(first = 0): void {
    const { list } = this;
    if (this.tops.length < list.length + 1) {
      const larger = new Float64Array(Math.ceil((list.length + 1) * 1.5));
      larger.set(this.tops.subarray(0, first + 1));
      this.tops = larger;
    }
    let top = first ? this.tops[first]! : 0;
    for (let i = first; i < list.length; i++) {
      this.tops[i] = top;
      top += list[i]!.height || estimate(list[i]!);
    }
    this.tops[list.length] = top;
  }

  /** The row at this height. */
  indexAt(y: number): number {
    let [low, high] = [0, this.list.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle]! <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  indexOf(key: string): number {
    return this.list.findIndex((row) => row.key === key);
  }
}

function made(entry: Entry, above: Row | undefined, isNew: boolean, old: Row | undefined): Row {
  const isSame = old?.entry === entry;
  const at = isSame ? old.at : Date.parse(entry.created_at);
  const dayNumber = isSame ? old.dayNumber : dayOf(at);
  const day = !above || above.dayNumber !== dayNumber;
  const following = !day && !isNew && above.entry.user_id === entry.user_id && !entry.reply_to && at - above.at < GROUP_MS;
  if (isSame && old.day === day && old.isNew === isNew && old.following === following) return old;
  return { key: keyOf(entry), entry, day, isNew, following, at, dayNumber, height: old?.height ?? 0 };
}

function estimate({ entry, following, day }: Row): number {
  const { content } = entry;
  const lines = Math.max(1, Math.ceil(content.length / LINE_CHARS) + (content.length > 40 ? content.split('\n').length - 1 : 0));
  const media = 'media' in entry && entry.media ? (isPicture(entry.media) ? fitted(entry.media).height + 8 : 72) : 0;
  const reactions = 'reactions' in entry && entry.reactions?.length ? 32 : 0;
  return (following ? 6 : 42) + (day ? 44 : 0) + lines * LINE_PX + media + reactions;
}
