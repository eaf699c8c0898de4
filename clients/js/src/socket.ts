// The one WebSocket: sign-in by subprotocol, answers matched by `ref`, and the rules of coming back.
import { ParleyError, asError } from './errors.js';
import type { ClientFrame, ServerFrame, WelcomeFrame } from './generated/live.js';
import type { Session } from './session.js';

const ANSWER_MS = 15_000;
const ALIVE_MS = 8_000;
const STEADY_MS = 10_000;

/** What is used of a WebSocket: the browser's, Node 22's, or the class `WebSocket` of the package `ws`. */
export interface SocketLike {
  readyState: number;
  send(text: string): void;
  close(code?: number): void;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}
export type SocketClass = new (url: string, protocols: string[]) => SocketLike;

export type ConnectionState =
  /** Not asked to connect, or signed out. */
  | { name: 'idle' }
  | { name: 'connecting' }
  | { name: 'online' }
  /** The next attempt is at `retry_at` (milliseconds since 1970); `attempt` counts those that failed. */
  | { name: 'waiting'; retry_at: number; attempt: number }
  /** The server does not want this client back by itself (4500 to 4599): `connect()` tries again. */
  | { name: 'stopped'; code: number };

export interface Backoff {
  /** Bound of the first wait; it doubles with each failure. */
  base_ms: number;
  max_ms: number;
}

interface Waiting {
  resolve(frame: never): void;
  reject(error: ParleyError): void;
  timer: ReturnType<typeof setTimeout>;
}

type Distributive<T> = T extends unknown ? Omit<T, 'ref'> : never;
export type Post = Distributive<ClientFrame>;

export interface SocketOptions {
  url: string;
  socket: SocketClass | undefined;
  session: Session;
  backoff: Backoff;
  onFrame(frame: ServerFrame): void;
  onState(state: ConnectionState): void;
  onReady(welcome: WelcomeFrame): void;
}

export class Socket {
  state: ConnectionState = { name: 'idle' };
  #ws: SocketLike | null = null;
  #token = '';
  #requests = new Map<string, Waiting>();
  #refs = 0;
  #failures = 0;
  #hintMs: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #attempt = {};
  #openedAt = 0;
  #heardAt = 0;
  #heartbeatMs = 0;
  #alive: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly options: SocketOptions) {}

  get online(): boolean {
    return this.state.name === 'online';
  }

  start(): void {
    if (this.online || this.state.name === 'connecting') return;
    this.#failures = 0;
    void this.#connect();
  }

  stop(): void {
    this.#drop(1000);
    this.#set({ name: 'idle' });
  }

  /** Something changed for the better: no need to wait any longer. */
  hurry(): void {
    if (this.state.name === 'waiting') void this.#connect();
    else this.check();
  }

  /** Nothing when there is no connection. */
  post(frame: Post): void {
    if (this.online) this.#ws!.send(JSON.stringify(frame));
  }

  request<Answer extends ServerFrame>(frame: Post): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.online) return reject(new ParleyError('disconnected'));
      const ref = `r${++this.#refs}`;
      const timer = setTimeout(() => {
        this.#requests.delete(ref);
        reject(new ParleyError('timeout'));
        this.check();
      }, ANSWER_MS);
      this.#requests.set(ref, { resolve, reject, timer });
      this.#ws!.send(JSON.stringify({ ...frame, ref }));
    });
  }

  async #connect(): Promise<void> {
    this.#drop();
    const attempt = (this.#attempt = {});
    this.#set({ name: 'connecting' });
    try {
      this.#token = await this.options.session.token();
    } catch (error) {
      if (this.#attempt === attempt) this.#noToken(error);
      return;
    }
    if (this.#attempt !== attempt) return;
    const { socket = globalThis.WebSocket as unknown as SocketClass | undefined, url } = this.options;
    const ws = new socket!(url, ['parley.v1', `bearer.${this.#token}`]);
    this.#ws = ws;
    ws.onmessage = (event: { data: string }) => this.#ws === ws && this.#receive(String(event.data));
    ws.onclose = (event: { code: number }) => this.#ws === ws && this.#closed(event.code);
    ws.onerror = () => {}; // onclose follows
    // A handshake that hangs must not hang the client.
    this.#timer = setTimeout(() => this.#ws === ws && this.#closed(1006), ANSWER_MS);
  }

  #noToken(thrown: unknown): void {
    if (asError(thrown).code === 'signed_out') this.#set({ name: 'idle' });
    else this.#later();
  }

  #receive(text: string): void {
    this.#heardAt = Date.now();
    const frame = JSON.parse(text) as ServerFrame;
    if (frame.op === 'welcome') return this.#welcome(frame);
    if (frame.op === 'goaway') {
      this.#hintMs = frame.retry_after_ms;
      return;
    }
    const ref = 'ref' in frame ? frame.ref : undefined;
    const waiting = ref === undefined ? undefined : this.#requests.get(ref);
    if (!waiting) return frame.op === 'pong' ? undefined : this.options.onFrame(frame);
    this.#requests.delete(ref!);
    clearTimeout(waiting.timer);
    if (frame.op !== 'error') return waiting.resolve(frame as never);
    waiting.reject(new ParleyError(frame.code, frame.detail, 0, frame.retry_after_ms));
  }

  #welcome(frame: WelcomeFrame): void {
    this.#renewLater();
    if (this.online) return; // the answer to a renewed token
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    this.#heartbeatMs = frame.heartbeat_ms;
    this.#set({ name: 'online' });
    this.#watch();
    this.options.onReady(frame);
  }

  // A token is renewed while the connection lives, so that its end does not cut the connection.
  #renewLater(): void {
    clearTimeout(this.#renewal);
    const { session } = this.options;
    const left = (session.value?.renew_at ?? 0) - Date.now();
    const ws = this.#ws;
    this.#renewal = setTimeout(async () => {
      const token = await session.refresh(this.#token).catch(() => '');
      if (!token || this.#ws !== ws) return; // if it could not be: 4003 comes, and then it is asked again
      this.#token = token;
      this.post({ op: 'hello', token });
    }, Math.min(Math.max(left, 1000), 2 ** 31 - 1));
  }

  // A browser does not show the server's pings: after a silence it asks, and gives up when nothing comes.
  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (Date.now() - this.#heardAt >= this.#heartbeatMs) this.check();
      this.#watch();
    }, this.#heartbeatMs);
  }

  /** Is the connection alive? */
  check(): void {
    if (!this.online || this.#alive) return;
    this.#heardAt = 0;
    this.post({ op: 'ping' });
    this.#alive = setTimeout(() => {
      this.#alive = undefined;
      if (!this.#heardAt) this.#closed(1006);
    }, ALIVE_MS);
  }

  #closed(code: number): void {
    const wasOnline = this.online;
    if (wasOnline && Date.now() - this.#openedAt > STEADY_MS) this.#failures = 0;
    this.#drop();
    if (code >= 4500 && code <= 4599) {
      this.#set({ name: 'stopped', code });
      return;
    }
    if (code === 4003) void this.#refreshAndConnect(wasOnline);
    else this.#later();
  }

  async #refreshAndConnect(wasOnline: boolean): Promise<void> {
    const attempt = (this.#attempt = {});
    this.#set({ name: 'connecting' });
    try {
      await this.options.session.refresh(this.#token);
      if (this.#attempt !== attempt) return;
      // At once; but with pauses where the new token is refused as well.
      if (wasOnline || this.#failures++ === 0) void this.#connect();
      else this.#later();
    } catch (error) {
      if (this.#attempt === attempt) this.#noToken(error);
    }
  }

  #later(): void {
    const { base_ms, max_ms } = this.options.backoff;
    const wait = this.#hintMs === null
      ? Math.random() * Math.min(max_ms, base_ms * 2 ** this.#failures)
      : this.#hintMs * (0.75 + Math.random() / 2);
    this.#failures++;
    this.#hintMs = null;
    this.#set({ name: 'waiting', retry_at: Date.now() + wait, attempt: this.#failures });
    this.#timer = setTimeout(() => void this.#connect(), wait);
  }

  #drop(code?: number): void {
    this.#attempt = {};
    clearTimeout(this.#timer);
    clearTimeout(this.#renewal);
    clearTimeout(this.#alive);
    this.#alive = undefined;
    const ws = this.#ws;
    this.#ws = null;
    if (ws) {
      ws.onmessage = ws.onclose = null;
      ws.close(code);
    }
    const waiting = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject, timer } of waiting) {
      clearTimeout(timer);
      reject(new ParleyError('disconnected'));
    }
  }

  #set(state: ConnectionState): void {
    this.state = state;
    this.options.onState(state);
  }
}
