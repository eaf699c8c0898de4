// Names and roles of the people in my rooms, as far as they are known; names survive a reload.
import type { Member, Room, RoomEvent } from '@parley/client';
import { client, myId } from '@/app/client';
import { Emitter } from '@/app/emitter';

const PAGE = 100;
/** Of a larger room the rest is loaded when somebody asks for it. */
const FIRST_PAGES = 3;
const RELOAD_MS = 300;

export interface Members {
  list: Member[];
  next: string | null;
  loaded: boolean;
  error: unknown;
}

class People extends Emitter<{ change: void }> {
  /** Grows with each change: rows that show names are drawn again. */
  version = 0;
  names = new Map<string, string>();
  #members = new Map<string, Members>();
  #loading = new Map<string, Promise<void>>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #told = false;

  constructor() {
    super();
    client.on('presence', () => this.#changed(false));
    client.on('user', (user) => user && this.#name(user.id, user.username));
    client.on('event', ({ room, event }) => this.#event(room, event));
  }

  nameOf(id: string): string {
    if (id === myId()) return client.user?.display_name || client.user?.username || '';
    return this.names.get(id) ?? '';
  }

  isOnline(id: string): boolean {
    if (id === myId()) return client.connection.name === 'online';
    return client.presence.get(id)?.online ?? this.#listed(id)?.online ?? false;
  }

  lastSeen(id: string): string | null {
    return client.presence.get(id)?.last_seen_at ?? this.#listed(id)?.last_seen_at ?? null;
  }

  of(room: Room): Members {
    let found = this.#members.get(room.id);
    if (!found) this.#members.set(room.id, (found = { list: [], next: null, loaded: false, error: null }));
    return found;
  }

  /** Reads the members anew. */
  load(room: Room, pages = FIRST_PAGES): Promise<void> {
    const running = this.#loading.get(room.id);
    if (running) return running;
    const work = this.#load(room, pages).finally(() => this.#loading.delete(room.id));
    this.#loading.set(room.id, work);
    return work;
  }

  async more(room: Room): Promise<void> {
    const members = this.of(room);
    if (!members.next) return;
    const page = await room.members({ limit: PAGE, cursor: members.next });
    members.list = [...members.list, ...page.members];
    members.next = page.next;
    for (const { user_id, username } of page.members) this.#name(user_id, username);
    this.#changed();
  }

  /** Direct messages are called by who is in them. */
  async nameConversations(rooms: readonly Room[]): Promise<void> {
    for (const room of rooms) {
      const partner = partnerOf(room);
      if (room.info?.kind === 'dm' && (!partner || !this.names.has(partner))) await this.load(room, 1).catch(() => {});
    }
  }

  know(names: Iterable<[string, string]>): void {
    for (const [id, name] of names) this.names.set(id, name);
    this.#changed();
  }

  forget(): void {
    this.names.clear();
    this.#members.clear();
    this.#changed();
  }

  async #load(room: Room, pages: number): Promise<void> {
    const members = this.of(room);
    try {
      let list: Member[] = [];
      let cursor: string | null = null;
      do {
        const page: { members: Member[]; next: string | null } =
          await room.members({ limit: PAGE, ...(cursor && { cursor }) });
        list = [...list, ...page.members];
        cursor = page.next;
      } while (cursor && --pages > 0);
      for (const member of list) {
        this.#name(member.user_id, member.username);
        // What came live since is newer only if it says more than the list does.
        if (member.online || !client.presence.has(member.user_id)) {
          client.presence.set(member.user_id, { online: member.online, last_seen_at: member.last_seen_at });
        }
      }
      Object.assign(members, { list, next: cursor, loaded: true, error: null });
    } catch (error) {
      members.error = error;
      throw error;
    } finally {
      this.#changed();
    }
  }

  #listed(id: string): Member | undefined {
    for (const { list } of this.#members.values()) {
      const found = list.find((member) => member.user_id === id);
      if (found) return found;
    }
    return undefined;
  }

  #event(room: Room, event: RoomEvent): void {
    if (event.op === 'member') this.#reload(room);
    else if (event.op === 'message' && !this.names.has(event.message.user_id)
      && event.message.user_id !== myId()) this.#reload(room);
  }

  // Several who come at once cost one reading.
  #reload(room: Room): void {
    if (!this.#members.has(room.id) && room.info?.kind !== 'dm') return;
    if (this.#timers.has(room.id)) return;
    this.#timers.set(room.id, setTimeout(() => {
      this.#timers.delete(room.id);
      if (room.state !== 'gone') void this.load(room).catch(() => {});
    }, RELOAD_MS));
  }

  #name(id: string, name: string): void {
    if (this.names.get(id) === name) return;
    this.names.set(id, name);
    this.#changed();
  }

  #changed(names = true): void {
    if (names) this.version++;
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      this.emit('change', undefined);
    });
  }
}

export function partnerOf(room: Room): string | undefined {
  const ids = room.info?.dm_user_ids ?? people.of(room).list.map((member) => member.user_id);
  return ids.find((id) => id !== myId());
}

export const people = new People();
