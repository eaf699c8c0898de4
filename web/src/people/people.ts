// Names, pictures and roles of the people in my rooms, as far as they are known; names and pictures survive a reload. Who
// takes another name or picture is seen with it once the members of a room are read again.
import type { Member, Person, Room, RoomEvent } from '@parley/client';
import { client, myId } from '@/app/client';
import { Emitter } from '@/app/emitter';

const PAGE = 100;
/** Of a larger room the rest is loaded when somebody asks for it. */
const FIRST_PAGES = 3;
const RELOAD_MS = 300;
/** Names of authors who are in no list are asked for together, once the lists had time to come. */
const ASK_MS = 400;
const ASKED_MAX = 100;
/** When a room is opened again after so long, its members are read again. */
const FRESH_MS = 60_000;

export type Looks = Pick<Person, 'username' | 'display_name' | 'avatar_media_id'>;
type Told = Omit<Looks, 'avatar_media_id'> & { avatar_media_id?: string | null };

export interface Members {
  list: Member[];
  next: string | null;
  loaded: boolean;
  error: unknown;
  readAt: number;
}

class People extends Emitter<{ change: void }> {
  /** Grows with each change: rows that show names are drawn again. */
  version = 0;
  known = new Map<string, Looks>();
  #members = new Map<string, Members>();
  #loading = new Map<string, Promise<void>>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #told = false;
  #wanted = new Set<string>();
  #asked = new Set<string>();
  #asking: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    client.on('presence', () => this.#changed(false));
    client.on('user', (user) => user && this.#know(user.id, user));
    client.on('event', ({ room, event }) => this.#event(room, event));
  }

  /** What a person is called; '' as long as it is not known. */
  nameOf(id: string): string {
    const looks = this.looksOf(id);
    return looks?.display_name || looks?.username || '';
  }

  pictureOf(id: string): string | undefined {
    return (id === myId() ? client.user : this.known.get(id))?.avatar_media_id ?? undefined;
  }

  looksOf(id: string): Pick<Looks, 'username' | 'display_name'> | undefined {
    if (id === myId() && client.user) return client.user;
    const found = this.known.get(id);
    if (!found && id) this.#want(id);
    return found;
  }

  /** Whose name it is, in any case of letters. */
  named(username: string): string | undefined {
    const wanted = username.toLowerCase();
    for (const [id, looks] of this.known) if (looks.username.toLowerCase() === wanted) return id;
    return undefined;
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
    if (!found) this.#members.set(room.id, (found = { list: [], next: null, loaded: false, error: null, readAt: 0 }));
    return found;
  }

  /** Reads the members unless they were read just now. */
  async refresh(room: Room): Promise<void> {
    if (Date.now() - this.of(room).readAt > FRESH_MS) await this.load(room);
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
    for (const member of page.members) this.#know(member.user_id, member);
    this.#changed();
  }

  /** Direct messages are called by who is in them. */
  async nameConversations(rooms: readonly Room[]): Promise<void> {
    const partners: string[] = [];
    for (const room of rooms) {
      if (room.info?.kind !== 'dm') continue;
      const partner = partnerOf(room);
      if (partner && this.known.has(partner)) partners.push(partner);
      else await this.load(room, 1).catch(() => {});
    }
    await this.#readAll(partners); // who is known from the last visit may look otherwise now
  }

  /** Names of people who are perhaps in no room of mine. */
  async learn(ids: Iterable<string>): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.known.has(id) && !this.#asked.has(id));
    await this.#readAll(unknown);
  }

  /** From the last visit. */
  restore(known: Iterable<[string, Looks]>): void {
    for (const [id, looks] of known) this.known.set(id, looks);
    this.#changed();
  }

  forget(): void {
    this.known.clear();
    this.#wanted.clear();
    this.#asked.clear();
    clearTimeout(this.#asking);
    this.#asking = undefined;
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
        this.#know(member.user_id, member);
        // What came live since is newer only if it says more than the list does.
        if (member.online || !client.presence.has(member.user_id)) {
          client.presence.set(member.user_id, { online: member.online, last_seen_at: member.last_seen_at });
        }
      }
      Object.assign(members, { list, next: cursor, loaded: true, error: null, readAt: Date.now() });
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
    else if (event.op === 'message' && !this.known.has(event.message.user_id)
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

  #want(id: string): void {
    if (this.#asked.has(id)) return;
    this.#wanted.add(id);
    this.#asking ??= setTimeout(() => void this.#ask(), ASK_MS);
  }

  // Authors who have left, above all.
  async #ask(): Promise<void> {
    const ids = [...this.#wanted].filter((id) => !this.known.has(id)).slice(0, ASKED_MAX);
    this.#wanted.clear();
    this.#asking = undefined;
    if (client.connection.name === 'online') await this.#read(ids); // else asked for again when it is drawn again
  }

  async #readAll(ids: string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += ASKED_MAX) await this.#read(ids.slice(at, at + ASKED_MAX));
  }

  async #read(ids: string[]): Promise<void> {
    if (!ids.length) return;
    for (const id of ids) this.#asked.add(id);
    const found = await client.people(ids).catch(() => {
      for (const id of ids) this.#asked.delete(id);
      return [];
    });
    for (const person of found) this.#know(person.id, person);
  }

  #know(id: string, { username, display_name, avatar_media_id }: Told): void {
    const before = this.known.get(id);
    if (before && before.username === username && (before.display_name ?? '') === (display_name ?? '')
      && (before.avatar_media_id ?? '') === (avatar_media_id ?? '')) return;
    this.known.set(id, {
      username, ...(display_name && { display_name }), ...(avatar_media_id && { avatar_media_id }),
    });
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
