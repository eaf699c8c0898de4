// The tokens of one user: kept in the storage, renewed before they end, by one tab at a time.
import { ParleyError, asError } from './errors.js';
import type { Signin, User } from './generated/rest.js';
import type { Http } from './rest.js';
import type { ClientStorage } from './storage.js';

const KEY = 'session';
const EARLY_MS = 30_000;
const LEASE = 'session-lease';
const LEASE_MS = 20_000;
const LEASE_CHECK_MS = 25;

const sleep = (ms: number) => new Promise<void>((go) => setTimeout(go, ms));

export interface StoredSession {
  user: User;
  access_token: string;
  refresh_token: string;
  /** Milliseconds since 1970, by this machine's clock. */
  expires_at: number;
  /** From then on a newer one is asked for. */
  renew_at: number;
}

interface Lease {
  mine: string;
  until: number;
}

interface Locks {
  request<T>(name: string, act: () => Promise<T>): Promise<T>;
}

export class Session {
  value: StoredSession | null = null;
  #refreshing: Promise<string> | null = null;

  constructor(
    readonly http: Http, readonly storage: ClientStorage, readonly locks: Locks | undefined,
    /** Another session than before, or none. */
    readonly changed: () => void,
  ) {}

  async restore(): Promise<boolean> {
    this.value ??= (await this.storage.get(KEY) as StoredSession | undefined) ?? null;
    if (this.value) this.changed();
    return this.value !== null;
  }

  async adopt({ user, access_token, refresh_token, expires_in }: Signin): Promise<void> {
    const other = this.value?.user.id !== user.id;
    const [now, life] = [Date.now(), expires_in * 1000];
    const renew_at = now + Math.max(life - EARLY_MS, life / 2);
    this.value = { user, access_token, refresh_token, expires_at: now + life, renew_at };
    await this.storage.set(KEY, this.value);
    if (other) this.changed();
  }

  async setUser(user: User): Promise<void> {
    if (!this.value) return;
    this.value = { ...this.value, user };
    // The tokens that stand there may be newer than these: another tab's.
    await this.#locked(async () => {
      const stored = await this.storage.get(KEY) as StoredSession | undefined;
      if (stored?.user.id === user.id) await this.storage.set(KEY, { ...stored, user });
    });
  }

  async clear(): Promise<void> {
    const ended = this.value;
    if (!ended) return;
    this.value = null;
    this.changed();
    // Another tab may have signed in as somebody else meanwhile.
    const stored = await this.storage.get(KEY) as StoredSession | undefined;
    if (stored?.refresh_token === ended.refresh_token) await this.storage.delete(KEY);
  }

  /** One that lives for a while yet. */
  async token(): Promise<string> {
    const { value } = this;
    if (!value) throw new ParleyError('signed_out');
    return Date.now() < value.renew_at ? value.access_token : this.refresh(value.access_token);
  }

  /** A newer one than `stale`. Throws `signed_out` when the session is over. */
  refresh(stale: string): Promise<string> {
    this.#refreshing ??= this.#locked(() => this.#refresh(stale)).finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #locked<T>(act: () => Promise<T>): Promise<T> {
    if (this.locks) return this.locks.request(`parley-session ${this.http.base}`, act);
    // No Web Locks on a page without https: who wrote last and still stands there a moment later is the one.
    const mine = crypto.getRandomValues(new Uint32Array(2)).join();
    for (const end = Date.now() + LEASE_MS; Date.now() < end; await sleep(LEASE_CHECK_MS)) {
      const held = await this.storage.get(LEASE) as Lease | undefined;
      if (held && held.until > Date.now() && held.until < Date.now() + 2 * LEASE_MS) continue;
      await this.storage.set(LEASE, { mine, until: Date.now() + LEASE_MS });
      await sleep(LEASE_CHECK_MS);
      const now = await this.storage.get(LEASE) as Lease | undefined;
      if (!now || now.mine === mine) break; // a storage that keeps nothing is nobody else's either
    }
    return act().finally(() => this.storage.delete(LEASE));
  }

  async #refresh(stale: string): Promise<string> {
    // Another tab may have done it while this one waited; a refresh token works only once.
    const stored = await this.storage.get(KEY) as StoredSession | undefined;
    if (stored && stored.user.id === this.value?.user.id) {
      this.value = stored;
      if (stored.access_token !== stale && stored.expires_at > Date.now()) return stored.access_token;
    }
    if (!this.value) throw new ParleyError('signed_out');
    try {
      const { refresh_token } = this.value;
      await this.adopt(await this.http.call('POST /v1/sessions/refresh', { body: { refresh_token } }));
      return this.value.access_token;
    } catch (thrown) {
      const error = asError(thrown);
      if (error.status !== 401) throw error;
      await this.clear();
      throw new ParleyError('signed_out', error.detail, 401);
    }
  }
}
