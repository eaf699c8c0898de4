import { AccountCalls } from './account_calls.js';
import { ParleyError, asError } from './errors.js';
import type { PresenceFrame, ServerFrame } from './generated/live.js';
import type * as rest from './generated/rest.js';
import { compareIds } from './ids.js';
import { Outbox } from './outbox.js';
import { Http, type CallAnswer, type CallArguments, type CallInput, type CallName, type Fetch } from './rest.js';
import { Room, type RoomEvent, type RoomInfo } from './room.js';
import { Session } from './session.js';
import { Socket, type Backoff, type ConnectionState, type Post, type SocketClass } from './socket.js';
import { forgiving, indexedDbStorage, memoryStorage, type ClientStorage } from './storage.js';

const SYNCS_AT_ONCE = 6;
const ROOMS_RELOAD_MS = 200;
const GET_TRIES = 3;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface ClientOptions {
  /** Where the server is: `https://chat.example.org`. In a browser: the page's own origin when left out. */
  url?: string;
  /** IndexedDB where there is one, else memory. */
  storage?: ClientStorage;
  /** For a Node without a global WebSocket (before 22): the class of the package `ws`. */
  WebSocket?: unknown;
  fetch?: Fetch;
  /** Bounds of the random waits before a reconnect. */
  backoff?: Backoff;
}

export interface ClientEvents {
  connection: ConnectionState;
  /** Signed in as somebody else, or signed out (null). */
  user: rest.User | null;
  /** The list of my rooms, or what it shows of one (name, last message, unread count), has changed. */
  rooms: readonly Room[];
  /** A durable event of a followed room: each once, in the room's order. */
  event: { room: Room; event: RoomEvent };
  presence: PresenceFrame;
}

export class ParleyClient extends AccountCalls<ClientEvents> {
  readonly url: string;
  /** Who is online, as far as followed rooms tell. */
  readonly presence = new Map<string, { online: boolean; last_seen_at: string | null }>();
  /** @internal */
  readonly outbox: Outbox;
  #session: Session;
  #socket: Socket;
  #http: Http;
  #rooms = new Map<string, Room>();
  #listed = false;
  #following = false;
  #queue: Room[] = [];
  #syncing = new Set<Room>();
  #generation = 0;
  #reload: ReturnType<typeof setTimeout> | undefined;
  #roomsTold = false;
  #unlisten: () => void = () => {};

  constructor(options: ClientOptions = {}) {
    super();
    const url = options.url ?? globalThis.location?.origin;
    if (!url) throw new TypeError('a client needs the url of its server');
    this.url = url.replace(/\/+$/, '');
    const { backoff = { base_ms: 500, max_ms: 30_000 } } = options;
    const storage = forgiving(options.storage
      ?? (globalThis.indexedDB ? indexedDbStorage(`parley ${this.url}`) : memoryStorage()));
    this.#http = new Http(this.url, options.fetch ?? globalThis.fetch.bind(globalThis));
    this.#session = new Session(this.#http, storage, globalThis.navigator?.locks, () => this.#userChanged());
    this.#socket = new Socket({
      url: `${this.url.replace(/^http/, 'ws')}/v1/ws`,
      socket: (options.WebSocket ?? globalThis.WebSocket) as SocketClass | undefined,
      session: this.#session,
      backoff,
      onFrame: (frame) => this.#frame(frame),
      onState: (state) => this.#connection(state),
      onReady: () => this.#ready(),
    });
    this.outbox = new Outbox({
      storage,
      socket: this.#socket,
      onSent: (answer, pending) => this.#rooms.get(answer.room_id)?.sent(answer, pending),
      onChange: (roomId) => this.#rooms.get(roomId)?.touch(),
    });
  }

  // --- account

  get user(): rest.User | null {
    return this.#session.value?.user ?? null;
  }

  async signUp(body: rest.NewUser): Promise<rest.User> {
    return this.#signedIn(await this.#http.call('POST /v1/users', { body }));
  }

  async logIn(body: rest.Credentials): Promise<rest.User> {
    return this.#signedIn(await this.#http.call('POST /v1/sessions', { body }));
  }

  /** Goes on with the session that the storage has; null when there is none. */
  async restore(): Promise<rest.User | null> {
    if (await this.#session.restore()) await this.outbox.restore(this.user!.id);
    return this.user;
  }

  /** Ends the session here and on the server. Messages that were not sent are given up: see `pendingCount`. */
  async logOut(): Promise<void> {
    const ended = this.user && this.call('DELETE /v1/sessions/current').catch(() => {});
    await ended;
    await this.outbox.clear();
    await this.#session.clear();
  }

  async me(): Promise<rest.User> {
    return this.#me(await this.call('GET /v1/me'));
  }

  async updateMe(body: rest.UserChange): Promise<rest.User> {
    return this.#me(await this.call('PATCH /v1/me', { body }));
  }

  /** Messages that are not in their room yet. */
  get pendingCount(): number {
    return this.outbox.size;
  }

  // --- connection

  get connection(): ConnectionState {
    return this.#socket.state;
  }

  /** Connects, and from now on comes back by itself. Resolves once online; rejects when there is no way. */
  async connect(): Promise<void> {
    if (!this.#socket.options.socket) throw new ParleyError('stopped', 'no WebSocket here: give one to the client');
    if (!this.user && !(await this.restore())) throw new ParleyError('signed_out');
    this.#listen();
    const online = new Promise<void>((resolve, reject) => {
      const check = ({ name }: ConnectionState) => {
        if (name === 'online') resolve();
        else if (name === 'idle' || name === 'stopped') reject(new ParleyError(this.user ? 'stopped' : 'signed_out'));
        else return;
        off();
      };
      const off = this.on('connection', check);
      if (this.#socket.online) check(this.connection);
    });
    this.#socket.start();
    return online;
  }

  /** Ends the connection and all timers. `connect()` goes on where it was. */
  disconnect(): void {
    this.#unlisten();
    this.#socket.stop();
    this.outbox.stop();
    clearTimeout(this.#reload);
  }

  /** Any call of the HTTP interface, with types: `client.call('GET /v1/rooms/{room_id}', { path: { room_id } })`. */
  async call<Name extends CallName>(name: Name, ...rest: CallArguments<Name>): Promise<CallAnswer<Name>> {
    const [input, signal] = rest as [CallInput<Name> | undefined, AbortSignal | undefined];
    let refreshed = false;
    for (let tries = name.startsWith('GET ') ? GET_TRIES : 1; ; tries--) {
      const token = await this.#session.token();
      try {
        return await this.#http.call(name, input, token, signal);
      } catch (thrown) {
        const { code, status } = asError(thrown);
        if (status === 401 && !refreshed) {
          await this.#session.refresh(token);
          refreshed = true;
        } else if ((code === 'offline' || code === 'unavailable') && tries > 1) await sleep(Math.random() * 1000);
        else throw thrown;
      }
    }
  }

  /** A file of a room, as the store answers: `await (await client.media(id)).blob()`. */
  async media(mediaId: string, size: 'small' | 'large' | 'original' = 'original', signal?: AbortSignal): Promise<Response> {
    const path = `/v1/media/${encodeURIComponent(mediaId)}?size=${size}`;
    return this.#http.file(this.url + path, await this.#session.token(), signal);
  }

  // --- rooms

  /** My rooms as far as they are known, the most active first. */
  get rooms(): readonly Room[] {
    const activity = ({ id, info }: Room) => info?.last_message?.id ?? id;
    return [...this.#rooms.values()].filter((room) => room.info?.my_role)
      .sort((a, b) => compareIds(activity(b), activity(a)));
  }

  /** The room with this id: always the same object. */
  room(id: string): Room {
    let room = this.#rooms.get(id);
    if (!room) this.#rooms.set(id, (room = new Room(this, id)));
    return room;
  }

  /** Shows rooms as a copy of an earlier visit has them, until `loadRooms` has read what they are now. */
  showRooms(copies: readonly RoomInfo[]): void {
    for (const info of copies) {
      const room = this.room(info.id);
      if (room.info) continue;
      room.stale = true;
      room.setInfo(info);
    }
    this.roomsChanged();
  }

  /** Reads the list of my rooms, with last messages and unread counts. */
  async loadRooms(): Promise<readonly Room[]> {
    const before = new Set(this.rooms);
    const listed = new Set<Room>();
    let cursor: string | undefined;
    do {
      const page = await this.call('GET /v1/rooms', { query: { limit: 100, ...(cursor && { cursor }) } });
      for (const info of page.rooms) {
        const room = this.room(info.id);
        room.setInfo(info);
        room.stale = false;
        listed.add(room);
        before.delete(room);
      }
      cursor = page.next ?? undefined;
    } while (cursor);
    this.#listed = true;
    for (const room of before) room.gone('not_a_member');
    if (this.#following) for (const room of listed) void room.subscribe();
    this.roomsChanged();
    return this.rooms;
  }

  /** Reads my rooms and follows them all, also those that come later: for a list that is always right. */
  async followRooms(): Promise<readonly Room[]> {
    this.#following = true;
    return this.loadRooms();
  }

  /** Public rooms by name or topic. */
  directory(query: { query?: string; limit?: number; cursor?: string } = {}): Promise<rest.RoomPage> {
    return this.call('GET /v1/rooms/directory', { query });
  }

  async createRoom(body: rest.NewRoom): Promise<Room> {
    const info = await this.call('POST /v1/rooms', { body });
    return this.entered(this.room(info.id), info);
  }

  /** The direct messages with somebody: found, or begun. */
  dm(userId: string): Promise<Room> {
    return this.createRoom({ kind: 'dm', member_ids: [userId] });
  }

  async joinRoom(id: string): Promise<Room> {
    const room = this.room(id);
    await room.join();
    return room;
  }

  // --- for rooms

  /** @internal */
  entered(room: Room, info: rest.Room): Room {
    room.stale = false;
    room.setInfo(info);
    if (this.#following) void room.subscribe();
    this.roomsChanged();
    return room;
  }

  /** @internal */
  post(frame: Post): void {
    this.#socket.post(frame);
  }

  /** @internal */
  request<Answer extends ServerFrame>(frame: Post): Promise<Answer> {
    return this.#socket.request<Answer>(frame);
  }

  /** @internal To this server, as who is signed in. */
  async exchange(method: string, url: string): Promise<unknown> {
    const headers = { Authorization: `Bearer ${await this.#session.token()}` };
    return this.#http.exchange(url, { method, headers });
  }

  /** @internal Reads what a room missed, a few rooms at a time; those that are looked at first. */
  sync(room: Room): void {
    if (!this.#socket.online || this.#syncing.has(room) || this.#queue.includes(room)) return;
    if (room.loaded) this.#queue.unshift(room);
    else this.#queue.push(room);
    this.#work();
  }

  /** @internal */
  roomsChanged(): void {
    if (this.#roomsTold) return;
    this.#roomsTold = true;
    queueMicrotask(() => {
      this.#roomsTold = false;
      this.emit('rooms', this.rooms);
    });
  }

  // --- inside

  async #signedIn(signin: rest.Signin): Promise<rest.User> {
    await this.#session.adopt(signin);
    await this.outbox.restore(signin.user.id);
    return signin.user;
  }

  async #me(user: rest.User): Promise<rest.User> {
    await this.#session.setUser(user);
    this.emit('user', user);
    return user;
  }

  #userChanged(): void {
    this.disconnect();
    for (const room of this.#rooms.values()) room.unsubscribe();
    this.#rooms.clear();
    this.presence.clear();
    if (!this.user) this.outbox.leave();
    this.#listed = this.#following = false;
    this.emit('user', this.user);
    this.roomsChanged();
  }

  #connection(state: ConnectionState): void {
    if (state.name !== 'online' && this.#generation) {
      this.#generation++;
      this.#queue = [];
      this.#syncing.clear();
      for (const room of this.#rooms.values()) room.disconnected();
    }
    this.emit('connection', state);
    // Logged out, elsewhere or by somebody else.
    if (state.name === 'stopped' && state.code === 4501) void this.#session.clear();
  }

  #ready(): void {
    this.#generation++;
    // What is in doubt first: then the events that come are known as one's own.
    this.outbox.flush();
    for (const room of this.#rooms.values()) if (room.state === 'syncing') this.sync(room);
    if (this.#listed) this.#reloadSoon();
  }

  #work(): void {
    while (this.#queue.length && this.#syncing.size < SYNCS_AT_ONCE) {
      const room = this.#queue.shift()!;
      const generation = this.#generation;
      this.#syncing.add(room);
      const isCurrent = () => generation === this.#generation;
      room.synced(isCurrent).catch((error) => this.#syncFailed(room, asError(error))).finally(() => {
        if (!isCurrent()) return;
        this.#syncing.delete(room);
        // A gap was seen while what was held was let through.
        if (room.state === 'syncing') this.sync(room);
        this.#work();
      });
    }
  }

  async #syncFailed(room: Room, error: ParleyError): Promise<void> {
    if (!error.passing) room.refused(error);
    else if (error.code !== 'disconnected') await sleep(error.retryAfterMs || 500 + Math.random() * 1500);
  }

  #frame(frame: ServerFrame): void {
    if (!('room_id' in frame)) return;
    const room = this.#rooms.get(frame.room_id);
    switch (frame.op) {
      case 'presence':
        this.presence.set(frame.user_id, { online: frame.online, last_seen_at: frame.last_seen_at });
        return this.emit('presence', frame);
      case 'typing': return room?.typed(frame.user_id);
      case 'receipt': return room?.receipt(frame);
      case 'sent': return this.outbox.late(frame); // nobody waits for it any more
      case 'message': case 'edited': case 'deleted': case 'reaction': return room?.event(frame);
      case 'member': case 'room':
        // Somebody made a room with me in it, or added me to one, or took me out of one that is not followed.
        if (!room || room.state === 'off' || room.state === 'gone') this.#reloadSoon();
        return room?.event(frame);
    }
  }

  #reloadSoon(): void {
    if (!this.#listed) return;
    clearTimeout(this.#reload);
    this.#reload = setTimeout(() => void this.loadRooms().catch(() => {}), ROOMS_RELOAD_MS);
  }

  #listen(): void {
    this.#unlisten();
    if (typeof globalThis.addEventListener !== 'function') return;
    const hurry = () => this.#socket.hurry();
    const check = () => this.#socket.check();
    const shown = () => document.hidden || hurry();
    addEventListener('online', hurry);
    addEventListener('offline', check);
    globalThis.document?.addEventListener('visibilitychange', shown);
    this.#unlisten = () => {
      removeEventListener('online', hurry);
      removeEventListener('offline', check);
      globalThis.document?.removeEventListener('visibilitychange', shown);
    };
  }
}
