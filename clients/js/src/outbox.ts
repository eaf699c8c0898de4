// Messages that are on their way. Each has a nonce and stays here, and in the storage, until the server has
// acknowledged or definitely refused it: a repeated nonce makes no second message, so repeating is always safe.
//
// One message of a room is under way at a time, so that they are in the room in the order of writing.
import { ParleyError, asError, type ErrorCode } from './errors.js';
import type { SentFrame } from './generated/live.js';
import type { Message, MessageType } from './generated/rest.js';
import { Nonces } from './ids.js';
import type { Socket } from './socket.js';
import type { ClientStorage } from './storage.js';

const ENTRIES_MAX = 1000;

export interface PendingMessage {
  nonce: string;
  room_id: string;
  user_id: string;
  type: MessageType;
  content: string;
  media_id?: string;
  reply_to?: string;
  created_at: string;
  /** `held`: a moderator looks at it first. `failed`: refused, see `error`; `retry` or `discard` it by its nonce. */
  state: 'queued' | 'sending' | 'held' | 'failed';
  error?: { code: ErrorCode; detail: string };
  /** When it is sent again (milliseconds since 1970), where the server said how long to wait: slow mode. */
  retry_at?: number;
}

export interface Draft {
  content: string;
  type?: MessageType;
  media_id?: string;
  reply_to?: string;
}

interface Entry {
  shown: PendingMessage;
  /** The newest event that was known when it was written: the message itself is newer. */
  after: string | null;
  /** It may be in the room although no answer came. */
  doubt: boolean;
  resolve(message: Message): void;
  reject(error: ParleyError): void;
}

export interface OutboxOptions {
  storage: ClientStorage;
  socket: Socket;
  /** The server has it. */
  onSent(answer: SentFrame, pending: PendingMessage): void;
  onChange(roomId: string): void;
}

export class Outbox {
  #entries: Entry[] = [];
  #pumping = new Set<string>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #nonces = new Nonces();
  #userId = '';
  #stored: Promise<unknown> = Promise.resolve();

  constructor(readonly options: OutboxOptions) {}

  get size(): number {
    return this.#entries.length;
  }

  /** Those of this user that an earlier page left. */
  async restore(userId: string): Promise<void> {
    if (this.#userId === userId) return;
    this.#userId = userId;
    this.#entries = [];
    const rooms = new Set<string>();
    for (const [, value] of await this.options.storage.entries(this.#key(''))) {
      const { shown, after } = value as Entry;
      if (this.#userId !== userId) return;
      if (this.#entries.some((entry) => entry.shown.nonce === shown.nonce)) continue;
      this.#nonces.floor(shown.nonce);
      if (shown.state === 'sending') shown.state = 'queued';
      // Whether the page that wrote it had sent it, nobody knows.
      this.#entries.push({ shown, after, doubt: shown.state === 'queued', resolve() {}, reject() {} });
      rooms.add(shown.room_id);
    }
    this.#entries.sort((a, b) => (a.shown.nonce < b.shown.nonce ? -1 : 1));
    for (const room of rooms) this.options.onChange(room);
    this.flush();
  }

  add(roomId: string, after: string | null, draft: Draft): { pending: PendingMessage; sent: Promise<Message> } {
    if (!this.#userId) throw new ParleyError('signed_out');
    if (this.#entries.length >= ENTRIES_MAX) throw new ParleyError('outbox_full', 'too many messages wait already');
    const { content, type = draft.media_id ? 'MEDIA' : 'TEXT', media_id, reply_to } = draft;
    const shown: PendingMessage = {
      nonce: this.#nonces.next(), room_id: roomId, user_id: this.#userId, type, content,
      ...(media_id && { media_id }), ...(reply_to && { reply_to }),
      created_at: new Date().toISOString(), state: 'queued',
    };
    const entry = { shown, after, doubt: false } as Entry;
    const sent = new Promise<Message>((resolve, reject) => Object.assign(entry, { resolve, reject }));
    sent.catch(() => {}); // whoever does not wait for it sees the state
    this.#entries.push(entry);
    this.#save(entry);
    void this.#pump(roomId);
    return { pending: shown, sent };
  }

  /**
   * What to show below the messages of a room. One in doubt is not shown while there is a newer own message that may be
   * it: the repeated nonce will tell, and nobody sees it twice.
   */
  of(roomId: string, hasOwnSince: (after: string | null) => boolean): PendingMessage[] {
    return this.#entries
      .filter(({ shown, doubt, after }) => shown.room_id === roomId && !(doubt && hasOwnSince(after)))
      .map(({ shown }) => shown);
  }

  retry(nonce: string): void {
    const entry = this.#find(nonce);
    if (!entry || entry.shown.state !== 'failed') return;
    const { error, ...shown } = entry.shown;
    this.#entries = this.#entries.filter((each) => each !== entry);
    this.#erase(nonce);
    // One that may be in the room after all keeps its nonce; another one gets one that sorts behind the others.
    if (!entry.doubt || error?.code === 'nonce_conflict') shown.nonce = this.#nonces.next();
    entry.shown = { ...shown, state: 'queued' };
    this.#entries.push(entry); // behind those that were written since
    this.#save(entry);
    void this.#pump(entry.shown.room_id);
  }

  discard(nonce: string): void {
    const entry = this.#find(nonce);
    if (!entry) return;
    entry.reject(new ParleyError('cancelled'));
    this.#forget(entry);
    void this.#pump(entry.shown.room_id);
  }

  /** A held message was let through: it has come as a message. */
  noticeOwn({ room_id, content, reply_to }: Message): void {
    const entry = this.#entries.find(({ shown }) => shown.state === 'held' && shown.room_id === room_id
      && shown.content === content && shown.reply_to === reply_to);
    if (entry) this.#forget(entry);
  }

  /** An answer that was given up. */
  late(answer: SentFrame): void {
    const entry = this.#find(answer.nonce);
    if (entry) this.#done(entry, answer);
  }

  /** After each connect. */
  flush(): void {
    for (const roomId of new Set(this.#entries.map(({ shown }) => shown.room_id))) void this.#pump(roomId);
  }

  /** Nothing of this user stays. */
  async clear(): Promise<void> {
    const entries = this.#entries;
    for (const entry of entries) {
      entry.reject(new ParleyError('cancelled'));
      this.#erase(entry.shown.nonce);
    }
    this.leave();
    await this.#stored;
  }

  /** Nobody is signed in; what is stored waits for the same user. */
  leave(): void {
    this.stop();
    this.#entries = [];
    this.#userId = '';
  }

  /** Nothing is sent by itself from now on; what is stored stays. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** What was written to the storage so far is there. */
  async settled(): Promise<void> {
    await this.#stored;
  }

  async #pump(roomId: string): Promise<void> {
    if (this.#pumping.has(roomId) || this.#timers.has(roomId)) return;
    this.#pumping.add(roomId);
    try {
      for (;;) {
        const entry = this.#entries.find(({ shown }) => shown.room_id === roomId && shown.state === 'queued');
        if (!entry || !this.options.socket.online) return;
        const waitMs = await this.#send(entry);
        if (waitMs) return this.#pumpLater(roomId, waitMs);
      }
    } finally {
      this.#pumping.delete(roomId);
    }
  }

  #pumpLater(roomId: string, waitMs: number): void {
    this.#timers.set(roomId, setTimeout(() => {
      this.#timers.delete(roomId);
      void this.#pump(roomId);
    }, Math.min(waitMs, 2 ** 31 - 1)));
  }

  #done(entry: Entry, answer: SentFrame): void {
    if (this.#entries.includes(entry)) this.#forget(entry, true);
    this.options.onSent(answer, entry.shown);
    entry.resolve(answer.message);
  }

  /** How long to wait before the next try; 0: go on. */
  async #send(entry: Entry): Promise<number> {
    const { room_id, nonce, type, content, media_id, reply_to } = entry.shown;
    const doubted = entry.doubt;
    entry.doubt = true;
    this.#show(entry, { state: 'sending' });
    try {
      const answer = await this.options.socket.request<SentFrame>({
        op: 'send', room_id, nonce, type, content, ...(media_id && { media_id }), ...(reply_to && { reply_to }),
      });
      this.#done(entry, answer);
      return 0;
    } catch (thrown) {
      return this.#refused(entry, asError(thrown), doubted);
    }
  }

  #refused(entry: Entry, error: ParleyError, doubted: boolean): number {
    if (!this.#entries.includes(entry)) return 0; // discarded meanwhile
    const { code, detail } = error;
    if (code === 'disconnected' || code === 'timeout') {
      this.#show(entry, { state: 'queued' });
      return code === 'timeout' ? 1000 : 0;
    }
    // This try at least has stored nothing.
    entry.doubt = doubted;
    if (error.passing) {
      const wait = error.retryAfterMs || 250 + Math.random() * 1750;
      this.#show(entry, { state: 'queued', retry_at: Date.now() + wait });
      return wait;
    }
    this.#show(entry, { state: code === 'content_held' ? 'held' : 'failed', error: { code, detail } });
    this.#save(entry);
    entry.reject(error);
    return 0;
  }

  #show(entry: Entry, change: Partial<PendingMessage>): void {
    const { retry_at: _, ...shown } = entry.shown;
    entry.shown = { ...shown, ...change };
    this.options.onChange(shown.room_id);
  }

  // What is stored is not told of each try: after a reload all that wait are in doubt.
  #save({ shown, after }: Entry): void {
    this.#store((storage) => storage.set(this.#key(shown.nonce), { shown, after }));
    this.options.onChange(shown.room_id);
  }

  #forget(entry: Entry, quietly = false): void {
    this.#entries = this.#entries.filter((each) => each !== entry);
    this.#erase(entry.shown.nonce);
    if (!quietly) this.options.onChange(entry.shown.room_id);
  }

  #erase(nonce: string): void {
    const key = this.#key(nonce);
    this.#store((storage) => storage.delete(key));
  }

  #store(act: (storage: ClientStorage) => Promise<unknown>): void {
    this.#stored = Promise.all([this.#stored, act(this.options.storage)]);
  }

  #key(nonce: string): string {
    return `outbox/${this.#userId}/${nonce}`;
  }

  #find(nonce: string): Entry | undefined {
    return this.#entries.find(({ shown }) => shown.nonce === nonce);
  }
}
