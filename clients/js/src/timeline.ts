// The messages of one room that are loaded: in the order of their ids, each once, without a hole up to the newest.
import type { ReactionFrame } from './generated/live.js';
import type { Message } from './generated/rest.js';
import { compareIds } from './ids.js';

/** A message that is in the room. A changed one is a new object. */
export type TimelineMessage = Message & {
  /** Where it was sent by this client: what `send` gave, so that a list keeps its key. */
  nonce?: string;
};

export class Timeline {
  messages: TimelineMessage[] = [];
  loaded = false;
  hasOlder = true;
  /** Changes that came while a page was under way, which may not know of them yet. */
  #meanwhile: (() => void)[] | null = null;

  position(id: string): number {
    let [low, high] = [0, this.messages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareIds(this.messages[middle]!.id, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  find(id: string): TimelineMessage | undefined {
    const found = this.messages[this.position(id)];
    return found?.id === id ? found : undefined;
  }

  /** Puts it in, or brings the known one up to date; an older state never replaces a newer one. */
  merge(message: TimelineMessage): void {
    const at = this.position(message.id);
    const known = this.messages[at];
    if (known?.id !== message.id) {
      this.messages.splice(at, 0, message);
      return;
    }
    const state = isNewer(known, message) ? known : message;
    const reactions = state.deleted ? undefined : message.reactions ?? known.reactions;
    const nonce = message.nonce ?? known.nonce;
    this.messages[at] = { ...state, ...(reactions && { reactions }), ...(nonce && { nonce }) };
  }

  edited(message: Message): void {
    this.#change(message.id, ({ nonce, reactions }) =>
      ({ ...message, ...(nonce && { nonce }), ...(reactions && { reactions }) }));
  }

  deleted(id: string): void {
    this.#change(id, ({ reactions: _, media_id: __, ...known }) => ({ ...known, content: '', deleted: true }));
  }

  reacted({ message_id, user_id, emoji, added }: ReactionFrame): void {
    this.#change(message_id, (known) => {
      const others = (known.reactions ?? []).filter((each) => each.emoji !== emoji);
      const { count = 0, user_ids = [] } = known.reactions?.find((each) => each.emoji === emoji) ?? {};
      const listed = user_ids.includes(user_id);
      if (added ? listed : !listed && count <= user_ids.length) return known;
      const users = added ? [...user_ids, user_id] : user_ids.filter((each) => each !== user_id);
      const now = { emoji, count: count + (added ? 1 : -1), user_ids: users };
      const index = known.reactions?.findIndex((each) => each.emoji === emoji) ?? -1;
      if (now.count > 0) others.splice(index < 0 ? others.length : index, 0, now);
      return { ...known, reactions: others };
    });
  }

  beginPage(): void {
    this.#meanwhile ??= [];
  }

  endPage(page: Message[]): void {
    for (const message of page) this.merge(message);
    const changes = this.#meanwhile ?? [];
    this.#meanwhile = null;
    for (const change of changes) change();
  }

  trim(keep: number): void {
    if (this.messages.length <= keep) return;
    this.messages = keep ? this.messages.slice(-keep) : [];
    this.hasOlder = true;
  }

  #change(id: string, change: (known: TimelineMessage) => TimelineMessage): void {
    const at = this.position(id);
    if (this.messages[at]?.id === id) this.messages[at] = change(this.messages[at]);
    else this.#meanwhile?.push(() => this.#change(id, change));
  }
}

function isNewer(a: Message, b: Message): boolean {
  if (Boolean(a.deleted) !== Boolean(b.deleted)) return Boolean(a.deleted);
  return (a.edited_at ?? '') > (b.edited_at ?? '');
}
