// One room: what is known of it, its timeline, and what can be done there. `client.room(id)` makes it.
import { ParleyError } from './errors.js';
import type { Event, ReceiptFrame, SentFrame, SubscribedFrame } from './generated/live.js';
import type * as rest from './generated/rest.js';
import { History } from './history.js';
import { newer } from './ids.js';
import type { Draft, PendingMessage } from './outbox.js';
import { RoomCalls } from './room_calls.js';
import type { TimelineMessage } from './timeline.js';
import { Typing } from './typing.js';

const HELD_MAX = 1000;
const READ_EVERY_MS = 300;
const GAPS_MAX = 3;

/** What is known of a room; the fields beyond `Room` are there once it was in the list of my rooms. */
export type RoomInfo = rest.Room & Partial<Pick<rest.MyRoom, 'last_message' | 'unread_count' | 'last_read_id'
  | 'dm_user_ids'>>;

/** Durable events in the room's order, each once: a bot reads these. */
export type RoomEvent = Event;

export type RoomState =
  /** Not followed. */
  | 'off'
  /** Followed, and what was missed is on its way; also while there is no connection. */
  | 'syncing'
  | 'live'
  /** Left, removed from it, or deleted. */
  | 'gone';

export interface RoomEvents {
  /** Something that the properties show has changed; at most once in a turn. */
  change: Room;
  event: RoomEvent;
}

/** What came back from `send`: shown at once, and `sent` once it is in the room. */
export interface Sending {
  pending: PendingMessage;
  /** Rejects only when it was refused for good. Need not be awaited. */
  sent: Promise<rest.Message>;
}

interface Views {
  messages: readonly TimelineMessage[];
  pending: readonly PendingMessage[];
  timeline: readonly (TimelineMessage | PendingMessage)[];
}

export class Room extends RoomCalls<RoomEvents> {
  info: RoomInfo | null = null;
  state: RoomState = 'off';
  /**
   * `info` is a copy of an earlier visit (`client.showRooms`): there may be more to read than it knows of, and nothing
   * can be marked as read yet.
   */
  stale = false;
  /** The newest message that each user has read, as far as the server told. */
  readonly receipts = new Map<string, string>();
  /** The newest event that was applied. */
  lastId: string | null = null;

  #history = new History(
    (query) => this.client.call('GET /v1/rooms/{room_id}/messages', { path: { room_id: this.id }, query }),
    (message) => this.#named(message),
    () => this.#touch(),
  );
  #held: Event[] = [];
  #arriving = new Map<string, PendingMessage>();
  #nonces = new Map<string, string>();
  #live: { promise: Promise<void>; resolve(): void; reject(error: ParleyError): void } | null = null;
  #gap = { id: '', count: 0 };
  #typing = new Typing(() => this.#touch());
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  #readMark: string | null = null;
  #view: Views | null = null;
  #told = false;
  #epoch = 0; // another one after each end: an answer that is late is for none

  // --- what to show

  /** Messages in the room, oldest first, each once; a new array after each change. */
  get messages(): readonly TimelineMessage[] {
    return this.#views().messages;
  }

  /** Own messages that are not in the room yet, in the order of writing. */
  get pending(): readonly PendingMessage[] {
    return this.#views().pending;
  }

  /** Both: what a list shows. The same array as long as nothing changed; `nonce ?? id` is a good key. */
  get timeline(): readonly (TimelineMessage | PendingMessage)[] {
    return this.#views().timeline;
  }

  /** User ids of those who write at the moment. */
  get typing(): readonly string[] {
    return this.#typing.users;
  }

  /** The newest page is there. */
  get loaded(): boolean {
    return this.#timeline.loaded;
  }

  /** `more()` would bring older messages. */
  get hasOlder(): boolean {
    return this.#timeline.hasOlder;
  }

  // --- following

  /** Follows the room and loads the newest messages. Waits for a connection. */
  async open(): Promise<void> {
    await this.subscribe();
    await this.#history.loadNewest();
  }

  /** Events, unread counts, typing and presence of the room from now on; resolves once it is live. */
  subscribe(): Promise<void> {
    if (this.state === 'live') return Promise.resolve();
    if (!this.#live) {
      let [resolve, reject] = [() => {}, (_: ParleyError) => {}];
      const promise = new Promise<void>((good, bad) => ([resolve, reject] = [good, bad]));
      promise.catch(() => {});
      this.#live = { promise, resolve, reject };
      this.#set('syncing');
      this.client.sync(this);
    }
    return this.#live.promise;
  }

  /** No more events; what is loaded is forgotten. */
  unsubscribe(): void {
    if (this.state === 'off') return;
    this.client.post({ op: 'unsubscribe', room_id: this.id });
    this.#end('off', new ParleyError('cancelled'));
    this.lastId = null;
  }

  /** A page of older messages; resolves to whether there are more yet. */
  async more(limit = 50): Promise<boolean> {
    await this.#history.loadOlder(limit);
    return this.hasOlder;
  }

  /** Forgets all but the newest messages, for the sake of memory; `more()` brings them again. */
  trim(keep: number): void {
    this.#timeline.trim(keep);
    this.#touch();
  }

  // --- doing

  /** The message is in `pending` at once and in the room as soon as there is a connection, also after a reload. */
  send(draft: string | Draft): Sending {
    return this.client.outbox.add(this.id, this.lastId, typeof draft === 'string' ? { content: draft } : draft);
  }

  /** Sends a failed one again. */
  retry(nonce: string): void {
    this.client.outbox.retry(nonce);
  }

  /** Gives one up that is pending or failed. One that is under way may still come. */
  discard(nonce: string): void {
    this.client.outbox.discard(nonce);
  }

  /** Moves my read mark forward; without an id to the newest message. */
  markRead(message_id = this.info?.last_message?.id ?? this.#timeline.messages.at(-1)?.id): void {
    if (this.stale || !message_id || !newer(message_id, this.#readMark ?? this.info?.last_read_id)) return;
    this.#readMark = message_id;
    this.#wasRead(message_id);
    this.#readTimer ??= setTimeout(() => this.#postRead(), READ_EVERY_MS);
  }

  /** To be called at each key: told on as often as it makes sense. */
  sendTyping(): void {
    if (this.#typing.isDue()) this.client.post({ op: 'typing', room_id: this.id });
  }

  async refresh(): Promise<rest.RoomWithOnline> {
    return this.setInfo(await this.client.call('GET /v1/rooms/{room_id}', { path: { room_id: this.id } }));
  }

  async update(body: rest.RoomChange): Promise<rest.Room> {
    return this.setInfo(await this.client.call('PATCH /v1/rooms/{room_id}', { path: { room_id: this.id }, body }));
  }

  async join(): Promise<rest.Room> {
    const info = await this.client.call('POST /v1/rooms/{room_id}/join', { path: { room_id: this.id } });
    this.client.entered(this, info);
    return info;
  }

  async leave(): Promise<void> {
    await this.client.call('POST /v1/rooms/{room_id}/leave', { path: { room_id: this.id } });
    this.gone('not_a_member');
  }

  async remove(): Promise<void> {
    await this.client.call('DELETE /v1/rooms/{room_id}', { path: { room_id: this.id } });
    this.gone('unknown_room');
  }

  // --- what the client tells it

  /** @internal */
  setInfo<Info extends RoomInfo>(info: Info): Info {
    // What stays as it was where it is not told; a room without a time of its own tells none.
    const { retention_days: _, ...before } = this.info ?? {};
    this.info = { ...before, ...info };
    if (this.#readMark) this.#wasRead(this.#readMark); // the server may not have heard of it when it told this
    if (this.state === 'gone' && info.my_role) this.#set('off');
    this.#touch();
    return info;
  }

  /** @internal The connection is gone: what follows is read again. */
  disconnected(): void {
    this.#held = [];
    if (this.state === 'live') {
      this.#set('off');
      void this.subscribe();
    }
    this.#typing.clear();
  }

  /** @internal One turn of reading what was missed; run by the client, which bounds how many run at once. */
  async synced(isCurrent: () => boolean): Promise<void> {
    const epoch = this.#epoch;
    const isOver = () => !isCurrent() || epoch !== this.#epoch || this.state !== 'syncing';
    if (this.#gap.count > 1) await new Promise((resolve) => setTimeout(resolve, 300 * this.#gap.count));
    for (;;) {
      if (isOver()) return;
      const since = this.lastId;
      const answer = await this.client.request<SubscribedFrame>({
        op: 'subscribe', room_id: this.id, ...(since && { since }),
      });
      if (isOver()) return;
      if (since && !answer.recovered) this.#reset();
      for (const event of answer.events) if (newer(event.id, this.lastId)) this.#apply(event);
      if (isOver()) return; // the events say so
      if (answer.more && answer.events.length) continue;
      if (!since || !answer.recovered) this.lastId = answer.last_id;
      break;
    }
    this.#set('live');
    this.#live?.resolve();
    this.#live = null;
    if (this.#readMark) this.#postRead();
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.event(event);
  }

  /** @internal */
  event(event: Event): void {
    if (this.state === 'syncing') {
      // It is in what comes, or after it. What is too much is read again as a gap.
      if (this.#held.length < HELD_MAX) this.#held.push(event);
      return;
    }
    if (this.state !== 'live' || !newer(event.id, this.lastId)) return;
    if (event.prev_id && this.lastId && event.prev_id !== this.lastId && this.#isGap(event.id)) {
      this.#set('off');
      this.#held = [event];
      void this.subscribe();
      return;
    }
    this.#apply(event);
  }

  /** @internal The server has a message of this client. It stands for the event on this connection. */
  sent({ message, prev_id }: SentFrame, pending: PendingMessage): void {
    if (this.state === 'live' || this.state === 'syncing') {
      this.#nonces.set(message.id, pending.nonce);
      const known = this.#timeline.find(message.id);
      if (known) this.#merge(known);
      else if (newer(message.id, this.lastId)) {
        if (this.#history.takes) this.#arriving.set(message.id, pending);
        this.event({ op: 'message', room_id: this.id, id: message.id, prev_id, message });
      } else this.#nonces.delete(message.id);
    } else this.#newest(message);
    this.#touch();
  }

  /** @internal */
  receipt({ user_id, message_id }: ReceiptFrame): void {
    if (!newer(message_id, this.receipts.get(user_id))) return;
    this.receipts.set(user_id, message_id);
    if (user_id === this.client.user?.id) this.#wasRead(message_id);
    this.#touch();
  }

  /** @internal */
  typed(userId: string): void {
    if (userId !== this.client.user?.id) this.#typing.begins(userId);
  }

  /** @internal It cannot be followed. */
  refused(error: ParleyError): void {
    const { code } = error;
    if (code === 'unknown_room' || code === 'not_a_member') this.gone(code);
    else this.#end('off', error);
  }

  /** @internal */
  gone(code: 'not_a_member' | 'unknown_room'): void {
    if (this.state === 'gone') return;
    if (this.info) {
      const { my_role: _, ...info } = this.info;
      this.info = info;
    }
    this.#end('gone', new ParleyError(code));
    this.lastId = null;
    this.client.roomsChanged();
  }

  /** @internal The list of pending ones has changed. */
  touch(): void {
    this.#touch();
  }

  // --- inside

  get #timeline() {
    return this.#history.timeline;
  }

  #pending(): PendingMessage[] {
    const mine = this.client.user?.id;
    const hasOwnSince = (after: string | null) => {
      const { messages } = this.#timeline;
      for (let i = messages.length - 1; i >= 0 && newer(messages[i]!.id, after); i--) {
        if (messages[i]!.user_id === mine && !messages[i]!.nonce) return true;
      }
      return false;
    };
    return [...this.#arriving.values(), ...this.client.outbox.of(this.id, hasOwnSince)];
  }

  #views(): Views {
    if (!this.#view) {
      // Not before the first page: what came meanwhile would move when it comes.
      const messages = this.loaded ? [...this.#timeline.messages] : [];
      const pending = this.#pending();
      this.#view = { messages, pending, timeline: [...messages, ...pending] };
    }
    return this.#view;
  }

  #isGap(id: string): boolean {
    this.#gap = { id, count: this.#gap.id === id ? this.#gap.count + 1 : 1 };
    return this.#gap.count <= GAPS_MAX; // the server knows of nothing between, however often it is asked
  }

  #apply(event: Event): void {
    this.lastId = event.id;
    switch (event.op) {
      case 'message':
        this.#merge(event.message);
        this.#newest(event.message);
        if (event.message.user_id === this.client.user?.id) this.client.outbox.noticeOwn(event.message);
        else this.#typing.ends(event.message.user_id);
        break;
      case 'edited':
        this.#timeline.edited(event.message);
        this.#lastChanged(event.message.id, event.message);
        break;
      case 'deleted':
        this.#timeline.deleted(event.message_id);
        this.#lastChanged(event.message_id, { content: '', deleted: true });
        break;
      case 'reaction':
        this.#timeline.reacted(event);
        break;
      case 'member':
        this.#member(event);
        break;
      case 'room':
        if (event.room.deleted) this.gone('unknown_room');
        else this.setInfo(event.room);
        this.client.roomsChanged();
    }
    this.emit('event', event);
    this.client.emit('event', { room: this, event });
    this.#touch();
  }

  #merge(message: TimelineMessage): void {
    const named = this.#named(message);
    if (this.#history.takes) this.#timeline.merge(named);
  }

  // With the nonce that it had while it was pending; it is so no more.
  #named(message: TimelineMessage): TimelineMessage {
    const nonce = this.#nonces.get(message.id);
    this.#nonces.delete(message.id);
    this.#arriving.delete(message.id);
    return nonce ? { ...message, nonce } : message;
  }

  #newest(message: rest.Message): void {
    const { info } = this;
    if (!info || (info.last_message && !newer(message.id, info.last_message.id))) return;
    const unread = message.user_id !== this.client.user?.id && newer(message.id, info.last_read_id);
    this.info = { ...info, last_message: message, unread_count: (info.unread_count ?? 0) + (unread ? 1 : 0) };
    this.client.roomsChanged();
  }

  #lastChanged(id: string, change: Partial<rest.Message>): void {
    if (this.info?.last_message?.id !== id) return;
    this.info = { ...this.info, last_message: { ...this.info.last_message, ...change } };
    this.client.roomsChanged();
  }

  #member({ user_id, action, role }: Event & { op: 'member' }): void {
    const me = user_id === this.client.user?.id;
    const change = action === 'joined' ? 1 : action === 'role' ? 0 : -1;
    if (this.info) {
      const member_count = Math.max(0, this.info.member_count + change);
      this.info = { ...this.info, member_count, ...(me && { my_role: role }) };
    }
    if (me && change < 0) this.gone('not_a_member');
  }

  #wasRead(id: string): void {
    if (!this.info || !newer(id, this.info.last_read_id)) return;
    const mine = this.client.user?.id;
    const { messages } = this.#timeline;
    const isNewest = !this.info.last_message || !newer(this.info.last_message.id, id);
    const knows = this.loaded && messages[0] && !newer(messages[0].id, id);
    const unread_count = isNewest ? 0
      : knows ? messages.slice(this.#timeline.position(id)).filter((m) => m.id !== id && m.user_id !== mine).length
        : this.info.unread_count;
    this.info = { ...this.info, last_read_id: id, ...(unread_count !== undefined && { unread_count }) };
    this.client.roomsChanged();
    this.#touch();
  }

  #postRead(): void {
    clearTimeout(this.#readTimer);
    this.#readTimer = undefined;
    if (this.#readMark) this.client.post({ op: 'read', room_id: this.id, message_id: this.#readMark });
  }

  // The server does not know where we were (a backup was restored): everything is read anew.
  #reset(): void {
    const { loaded } = this.#timeline;
    this.#history.forget();
    this.#arriving.clear();
    if (loaded) queueMicrotask(() => void this.open().catch(() => {}));
  }

  #end(state: 'off' | 'gone', error: ParleyError): void {
    this.#epoch++;
    this.#set(state);
    this.#live?.reject(error);
    this.#live = null;
    this.#held = [];
    this.#arriving.clear();
    this.#nonces.clear();
    this.#history.forget();
    this.#typing.clear();
    clearTimeout(this.#readTimer);
    this.#readTimer = undefined;
    this.#touch();
  }

  #set(state: RoomState): void {
    this.state = state;
    this.#touch();
  }

  #touch(): void {
    this.#view = null;
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      this.emit('change', this);
    });
  }
}
