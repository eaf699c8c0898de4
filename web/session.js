// Who is signed in. The tokens lie in localStorage, so that all tabs share one session.
//
// A refresh token works once, and its second use ends the session: so only one tab refreshes at a time,
// and each looks first whether another one was faster.
import { ApiError, meansSignedOut } from './errors.js';
import { exchange } from './http.js';
import { uuidV7 } from './ids.js';
import { clearVault, readVault, writeVault } from './vault.js';

const storageKey = 'parley.session';
const earlyMs = 60_000;

export class Session {
  constructor() {
    this.onSignedOut = () => {};
    this.onRenewed = () => {}; // another access token, from here or from another tab
    this.refreshing = null;
    this.timer = 0;
    this.value = this.read();
    this.plan();
    addEventListener('storage', (event) => {
      if (event.key !== storageKey) return;
      const before = this.value;
      this.value = this.read();
      this.plan();
      if (before && this.value?.user.id !== before.user.id) this.onSignedOut(null);
      else if (before && this.value.access !== before.access) this.onRenewed();
    });
  }

  get user() {
    return this.value?.user ?? null;
  }

  // `before`: the pair in whose place this one comes; none after a log-in.
  accept(answer, before = null) {
    this.value = {
      chain: before?.chain ?? uuidV7(),
      turn: before ? before.turn + 1 : 0,
      user: answer.user,
      access: answer.access_token,
      refresh: answer.refresh_token,
      life_ms: answer.expires_in * 1000,
      expires_at: Date.now() + answer.expires_in * 1000,
    };
    localStorage.setItem(storageKey, JSON.stringify(this.value));
    this.plan();
  }

  end(error = null) {
    if (!this.value) return;
    this.value = null;
    localStorage.removeItem(storageKey);
    clearVault();
    clearTimeout(this.timer);
    this.onSignedOut(error);
  }

  // An access token that lives for some time yet.
  async token() {
    if (!this.value) throw new ApiError('unauthorized');
    if (this.isStale()) await this.refresh(this.value.access);
    return this.value.access;
  }

  // Gets a new pair in place of `seen`, unless somebody has done so already.
  refresh(seen) {
    this.refreshing ??= exclusively('parley.refresh', () => this.exchangeTokens(seen)).finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  async exchangeTokens(seen) {
    const kept = await readVault();
    let stored = this.read();
    if (!stored) throw new ApiError('unauthorized');
    if (kept?.chain === stored.chain && kept.turn > stored.turn) stored = kept;
    this.value = stored;
    if (stored.access !== seen && !this.isStale()) {
      this.plan();
      this.onRenewed();
      return;
    }
    try {
      const body = { refresh_token: stored.refresh };
      this.accept(await exchange('POST', '/v1/sessions/refresh', { body }), stored);
      await writeVault(this.value);
      this.onRenewed();
    } catch (error) {
      if (meansSignedOut(error)) this.end(error);
      throw error;
    }
  }

  isStale() {
    return Date.now() > this.value.expires_at - this.marginMs();
  }

  marginMs() {
    return Math.min(earlyMs, this.value.life_ms / 2); // the server counts in whole seconds
  }

  plan() {
    clearTimeout(this.timer);
    if (!this.value) return;
    const wait = Math.max(this.value.expires_at - this.marginMs() - Date.now(), 0);
    const again = () => this.value && this.token().catch((error) => {
      if (!meansSignedOut(error)) this.timer = setTimeout(again, 5000 + Math.random() * 5000);
    });
    this.timer = setTimeout(again, wait + Math.random() * Math.min(2000, this.marginMs() / 8));
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(storageKey));
    } catch {
      return null;
    }
  }
}

// Web Locks exist only on HTTPS and localhost; elsewhere a key in localStorage does nearly as well.
async function exclusively(name, work) {
  if (navigator.locks) return navigator.locks.request(name, work);
  const mine = Math.random().toString(36);
  for (;;) {
    const [until, owner] = (localStorage.getItem(name) ?? '0 ').split(' ');
    if (Number(until) < Date.now() || owner === mine) {
      localStorage.setItem(name, `${Date.now() + 20_000} ${mine}`);
      await sleep(30 + Math.random() * 40);
      if (localStorage.getItem(name)?.endsWith(mine)) break;
    } else {
      await sleep(100);
    }
  }
  try {
    return await work();
  } finally {
    localStorage.removeItem(name);
  }
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
