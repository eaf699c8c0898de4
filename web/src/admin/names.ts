// What people and rooms are called, of whom only an id is known here.
import type { RoomFields } from '@parley/client';
import { client } from '@/app/client';
import { Emitter } from '@/app/emitter';
import { people } from '@/people/people';
import { titleOf } from '@/people/title';
import { mine } from './room_list';

const PAGE = 100;
/** Of all rooms so many are looked through for a name. */
export const PAGES = 10;

export async function allRooms(): Promise<{ rooms: RoomFields[]; complete: boolean }> {
  const rooms: RoomFields[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES; page++) {
    const answer: { rooms: RoomFields[]; next: string | null } =
      await client.call('GET /v1/admin/rooms', { query: { limit: PAGE, ...(cursor && { cursor }) } });
    rooms.push(...answer.rooms);
    cursor = answer.next;
    if (!cursor) return { rooms, complete: true };
  }
  return { rooms, complete: false };
}

class Names extends Emitter<{ change: void }> {
  #rooms = new Map<string, RoomFields>();
  #complete = false;

  user(id: string): string {
    return people.nameOf(id);
  }

  /** null: no group, so a direct message; undefined: not known. */
  room(id: string): string | null | undefined {
    const own = mine(id);
    if (own) return titleOf(own);
    return this.#rooms.get(id)?.name ?? (this.#complete ? null : undefined);
  }

  async learn(userIds: string[], roomIds: string[]): Promise<void> {
    const work: Promise<unknown>[] = [people.learn(userIds)];
    if (roomIds.some((id) => this.room(id) === undefined || this.room(id) === null)) work.push(this.#learnRooms());
    await Promise.allSettled(work);
    this.emit('change', undefined);
  }

  async #learnRooms(): Promise<void> {
    const { rooms, complete } = await allRooms();
    for (const room of rooms) this.#rooms.set(room.id, room);
    this.#complete = complete;
  }
}

export const names = new Names();
