// Who is signed in, and what is started and ended with that.
import { ParleyError, type Credentials, type NewUser } from '@parley/client';
import { Cache } from '@/offline/cache';
import { people } from '@/people/people';
import { drafts } from '@/messages/drafts';
import { client } from './client';
import { Emitter } from './emitter';

export type SessionState =
  | { name: 'starting' }
  | { name: 'out'; ended: boolean }
  | { name: 'in' };

const WAS_HERE = 'parley.was-here';

class Session extends Emitter<{ change: void }> {
  state: SessionState = { name: 'starting' };
  /** The list of rooms has come from the server, or from the cache. */
  listed = false;
  listError: unknown = null;
  cache: Cache | null = null;
  #leaving = false;
  #follows = false;
  #listing: Promise<void> | null = null;

  get wasHere(): boolean {
    return localStorage.getItem(WAS_HERE) !== null;
  }

  async start(): Promise<void> {
    client.on('user', (user) => {
      if (!user && this.state.name === 'in') this.#left();
    });
    client.on('connection', ({ name }) => {
      if (name === 'online' && !this.#follows && this.state.name === 'in') void this.#list();
    });
    const user = await client.restore().catch(() => null);
    if (user) await this.#entered();
    else this.#set({ name: 'out', ended: false });
  }

  async signUp(body: NewUser): Promise<void> {
    await client.signUp(body);
    await this.#entered();
  }

  async logIn(body: Credentials): Promise<void> {
    await client.logIn(body);
    await this.#entered();
  }

  async logOut(): Promise<void> {
    this.#leaving = true;
    try {
      await this.cache?.clear();
      drafts.clear();
      await client.logOut();
    } finally {
      this.#leaving = false;
    }
  }

  async #entered(): Promise<void> {
    localStorage.setItem(WAS_HERE, '1');
    const cache = (this.cache = new Cache(client.user!.id));
    this.listed = await cache.restore();
    this.#set({ name: 'in' });
    client.connect().catch((error) => this.#failed(error));
    void client.me().catch(() => {}); // another name or role since the last visit
    void this.#list(); // meanwhile the page shows what it knows
  }

  #list(): Promise<void> {
    return (this.#listing ??= this.#readList().finally(() => (this.#listing = null)));
  }

  async #readList(): Promise<void> {
    try {
      await client.followRooms();
      this.listed = this.#follows = true;
      this.listError = null;
      void people.nameConversations(client.rooms);
    } catch (error) {
      this.listError = error;
    }
    this.emit('change', undefined);
  }

  #failed(error: unknown): void {
    // The banner says what state the connection is in; only a stopped one is the end.
    if (error instanceof ParleyError && error.code === 'signed_out') this.#left();
  }

  #left(): void {
    this.cache?.stop();
    this.cache = null;
    this.listed = this.#follows = false;
    people.forget();
    this.#set({ name: 'out', ended: !this.#leaving });
  }

  #set(state: SessionState): void {
    this.state = state;
    this.emit('change', undefined);
  }
}

export const session = new Session();
