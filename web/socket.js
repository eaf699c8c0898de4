// The one WebSocket of the page: sign-in by subprotocol, answers matched to requests by `ref`, and the
// rules of coming back (full jitter, goaway, close codes).
import { ApiError, meansSignedOut } from './errors.js';

const requestTimeoutMs = 15_000;
const backoffBaseMs = 500;
const backoffMaxMs = 30_000;
const steadyAfterMs = 10_000;

export class Socket {
  // onFrame(frame): every frame that is not an answer; onState(state): see `state` below;
  // onReady(welcome): signed in, also after each reconnect.
  constructor({ session, onFrame, onState, onReady }) {
    Object.assign(this, { session, onFrame, onState, onReady });
    this.state = { name: 'idle' }; // idle | connecting | open | waiting {until} | stopped {code}
    this.requests = new Map();
    this.refCount = 0;
    this.failures = 0;
    this.retryHintMs = null;
    this.timer = 0;
    addEventListener('online', () => this.retryNow());
    addEventListener('offline', () => this.checkAlive());
    document.addEventListener('visibilitychange', () => document.hidden || this.checkAlive());
  }

  start() {
    if (['connecting', 'open'].includes(this.state.name)) return;
    this.failures = 0;
    this.connect();
  }

  stop() {
    clearTimeout(this.timer);
    this.drop();
    this.set({ name: 'idle' });
  }

  retryNow() {
    if (this.state.name === 'waiting' || this.state.name === 'stopped') this.connect();
  }

  get isOpen() {
    return this.state.name === 'open';
  }

  // Sends without expecting an answer; silently nothing when there is no connection.
  post(frame) {
    if (this.isOpen) this.ws.send(JSON.stringify(frame));
  }

  request(frame, timeoutMs = requestTimeoutMs) {
    if (!this.isOpen) return Promise.reject(new ApiError('disconnected'));
    const ref = `r${++this.refCount}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.requests.delete(ref);
        reject(new ApiError('timeout'));
        this.checkAlive();
      }, timeoutMs);
      this.requests.set(ref, { resolve, reject, timer });
      this.ws.send(JSON.stringify({ ...frame, ref }));
    });
  }

  // Gives the open connection the newer token, so that it lives as long as that one.
  renew() {
    if (!this.isOpen || this.session.value.access === this.token) return;
    this.token = this.session.value.access;
    this.post({ op: 'hello', token: this.token });
  }

  async connect() {
    clearTimeout(this.timer);
    this.drop();
    this.set({ name: 'connecting' });
    const attempt = (this.attempt = {});
    let token;
    try {
      token = await this.session.token();
    } catch (error) {
      if (this.attempt !== attempt) return;
      return meansSignedOut(error) ? this.set({ name: 'idle' }) : this.retryLater();
    }
    if (this.attempt !== attempt) return;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const ws = new WebSocket(`${scheme}://${location.host}/v1/ws`, ['parley.v1', `bearer.${token}`]);
    this.ws = ws;
    this.token = token;
    ws.onmessage = (event) => this.ws === ws && this.receive(event.data);
    ws.onclose = (event) => this.ws === ws && this.closed(event.code);
    // A handshake that hangs must not hang the page.
    this.timer = setTimeout(() => this.ws === ws && !this.isOpen && this.closed(1006), requestTimeoutMs);
  }

  receive(text) {
    this.lastFrameAt = Date.now();
    const frame = JSON.parse(text);
    if (frame.op === 'welcome') return this.welcome(frame);
    if (frame.op === 'goaway') {
      this.retryHintMs = frame.retry_after_ms;
      return;
    }
    const waiting = frame.ref && this.requests.get(frame.ref);
    if (!waiting) {
      if (frame.op !== 'pong') this.onFrame(frame);
      return;
    }
    this.requests.delete(frame.ref);
    clearTimeout(waiting.timer);
    if (frame.op === 'error') {
      waiting.reject(new ApiError(frame.code, frame.detail, { retryAfterMs: frame.retry_after_ms ?? 0 }));
    } else {
      waiting.resolve(frame);
    }
  }

  welcome(frame) {
    if (this.isOpen) return; // the answer to renew()
    clearTimeout(this.timer);
    this.openedAt = Date.now();
    this.heartbeatMs = frame.heartbeat_ms;
    this.set({ name: 'open' });
    this.watch();
    this.onReady(frame);
  }

  // Browsers do not show WebSocket pings: after a silence ask, and give up when nothing comes.
  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.isOpen) return;
      if (Date.now() - this.lastFrameAt > this.heartbeatMs) this.checkAlive();
      this.watch();
    }, this.heartbeatMs);
  }

  checkAlive() {
    if (this.state.name === 'waiting') return this.retryNow();
    if (!this.isOpen || this.checking) return;
    this.checking = true;
    const ws = this.ws;
    const sentAt = Date.now();
    ws.send('{"op":"ping"}');
    setTimeout(() => {
      this.checking = false;
      if (this.ws === ws && this.isOpen && this.lastFrameAt < sentAt) this.closed(1006);
    }, 8000);
  }

  closed(code) {
    const wasOpen = this.isOpen;
    const wasSteady = wasOpen && Date.now() - this.openedAt > steadyAfterMs;
    clearTimeout(this.timer);
    this.drop();
    if (wasSteady) this.failures = 0;
    if (code >= 4500 && code <= 4599) return this.set({ name: 'stopped', code });
    if (code === 4003) return this.refreshAndConnect(wasOpen);
    this.retryLater();
  }

  async refreshAndConnect(wasOpen) {
    this.set({ name: 'connecting' });
    const attempt = (this.attempt = {});
    try {
      await this.session.refresh(this.token);
      // At once; but if a new token is refused as well, with pauses.
      if (this.attempt !== attempt) return;
      wasOpen || this.failures++ === 0 ? this.connect() : this.retryLater();
    } catch (error) {
      if (this.attempt !== attempt) return;
      meansSignedOut(error) ? this.set({ name: 'idle' }) : this.retryLater();
    }
  }

  retryLater() {
    const bound = Math.min(backoffMaxMs, backoffBaseMs * 2 ** this.failures++);
    const wait = this.retryHintMs === null
      ? Math.random() * bound
      : this.retryHintMs * (0.75 + Math.random() * 0.5);
    this.retryHintMs = null;
    this.set({ name: 'waiting', until: Date.now() + wait, failures: this.failures });
    this.timer = setTimeout(() => this.connect(), wait);
  }

  drop() {
    this.attempt = null;
    const ws = this.ws;
    this.ws = null;
    if (ws) {
      ws.onmessage = ws.onclose = null;
      ws.close();
    }
    const waiting = [...this.requests.values()];
    this.requests.clear();
    for (const { reject, timer } of waiting) {
      clearTimeout(timer);
      reject(new ApiError('disconnected'));
    }
  }

  set(state) {
    this.state = state;
    this.onState(state);
  }
}
