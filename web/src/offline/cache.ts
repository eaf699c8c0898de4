// The list of rooms, the newest messages of each, and names: kept in IndexedDB, so that the page shows them at once, also
// without a connection. A copy for the eyes only: what the server says replaces it.
import { indexedDbStorage, type Message, type Room, type RoomFields } from '@parley/client';
import { client } from '@/app/client';
import { people, type Looks } from '@/people/people';

const MESSAGES_MAX = 50;
const ROOMS_MAX = 200;
const PEOPLE_MAX = 2000;
const WRITE_MS = 500;

const storage = indexedDbStorage('parley-cache');

export class Cache {
  #messages = new Map<string, Message[]>();
  #dirty = new Set<Room>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #offs: (() => void)[] = [];
  #listDirty = false;

  constructor(readonly userId: string) {}

  /** Shows what the last visit left; true when there was something. */
  async restore(): Promise<boolean> {
    const [rooms, known, stored] = await Promise.all([
      this.#get<RoomFields[]>('rooms'), this.#get<[string, Looks][]>('people'),
      storage.entries(this.#key('messages/')).catch(() => []),
    ]);
    for (const [key, value] of stored) this.#messages.set(key.split('/').at(-1)!, value as Message[]);
    if (known) people.restore(known);
    if (rooms) client.showRooms(rooms);
    this.#offs = [
      client.on('rooms', () => {
        this.#listDirty = true;
        this.#later();
      }),
      client.on('event', ({ room }) => this.note(room)),
    ];
    return Boolean(rooms);
  }

  /** What to show of a room before its messages have come. */
  messages(roomId: string): readonly Message[] {
    return this.#messages.get(roomId) ?? [];
  }

  /** Its newest messages are to be kept. */
  note(room: Room): void {
    if (!room.loaded) return;
    this.#dirty.add(room);
    this.#later();
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const off of this.#offs) off();
  }

  async clear(): Promise<void> {
    this.stop();
    for (const [key] of await storage.entries(`${this.userId}/`).catch(() => [])) await storage.delete(key);
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, WRITE_MS);
  }

  #write(): void {
    const rooms = client.rooms;
    if (this.#listDirty) {
      this.#listDirty = false;
      this.#set('rooms', rooms.slice(0, ROOMS_MAX).map((room) => room.info));
      this.#set('people', [...people.known].slice(-PEOPLE_MAX));
      for (const id of this.#messages.keys()) {
        if (rooms.some((room) => room.id === id)) continue;
        this.#messages.delete(id);
        void storage.delete(this.#key(`messages/${id}`)).catch(() => {});
      }
    }
    for (const room of this.#dirty) {
      if (!room.loaded) continue;
      const newest = room.messages.slice(-MESSAGES_MAX);
      this.#messages.set(room.id, newest);
      this.#set(`messages/${room.id}`, newest);
    }
    this.#dirty.clear();
  }

  #key(name: string): string {
    return `${this.userId}/${name}`;
  }

  async #get<Value>(name: string): Promise<Value | undefined> {
    return await storage.get(this.#key(name)).catch(() => undefined) as Value | undefined;
  }

  #set(name: string, value: unknown): void {
    storage.set(this.#key(name), value).catch(() => {}); // a full disk costs the copy alone
  }
}
