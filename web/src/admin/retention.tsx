// How long messages are kept: by the server, and by rooms that say something of their own.
import { client } from '@/app/client';
import { i18n, tn } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { useAsked, useEvent } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { Failed, Nothing, Skeleton } from './list';
import { useHealth } from './metrics';
import { allRooms } from './names';
import { mine, RoomIcon } from './room_list';
import { openRoomPace } from './room_pace';
import { Tile } from './tile';
import { a, an } from './words';

export function Retention() {
  useEvent(client, 'rooms');
  const now = useHealth()?.now ?? undefined;
  const server = useAsked(() => client.call('GET /v1/admin/server'), []);
  const rooms = useAsked(allRooms, []);
  const days = server.value?.retention_days;
  return (
    <>
      <section class="status is-plain">
        <span class="status-icon"><Icon name="clock" size={22} /></span>
        <div class="grow">
          <p class="status-title">{a('serverKeeps')} {server.value ? (days ? an('forDays', days) : a('forEver')) : '…'}</p>
          <p class="hint">{a('serverKeepsHint')}</p>
        </div>
      </section>
      {Boolean(server.error) && <Failed error={server.error} again={server.again} />}
      <dl class="tiles">
        <Tile label={a('removedSoFar')} hint={`${a('removedHint')}, ${a('sinceStart')}`} value={now?.get('parley_retention_removed_total')} />
        <Tile label={a('passes')} hint={a('sinceStart')} value={now?.get('parley_retention_passes_total')} />
      </dl>
      <section class="admin-section" aria-busy={!rooms.value && !rooms.error}>
        <h3 class="admin-heading">{a('roomsThatKeepLess')}</h3>
        {Boolean(rooms.error) && <Failed error={rooms.error} again={rooms.again} />}
        {!rooms.value && !rooms.error && <Skeleton rows={3} />}
        {rooms.value && <Rooms found={rooms.value} serverDays={days ?? null} again={rooms.again} />}
      </section>
    </>
  );
}

interface RoomsProps {
  found: Awaited<ReturnType<typeof allRooms>>;
  serverDays: number | null;
  again: () => void;
}

function Rooms({ found, serverDays, again }: RoomsProps) {
  const rooms = found.rooms.map((room) => mine(room.id)?.info ?? room).filter((room) => room.retention_days);
  return (
    <>
      {rooms.length ? (
        <ul class="admin-rows">
          {rooms.map((room) => {
            const counts = Math.min(room.retention_days!, serverDays ?? Infinity);
            return (
              <li key={room.id}>
                <RoomIcon room={room} />
                <div class="grow">
                  <p class="admin-line"><strong class="ellipsis" dir="auto">{room.name}</strong></p>
                  <p class="hint">{a('ownTime')}: {tn('days', room.retention_days!)}
                    {counts < room.retention_days! && <> · {a('counts')}: {tn('days', counts)}</>}</p>
                </div>
                <Button class="small" aria-label={`${a('change')}: ${room.name}`} onClick={() => openRoomPace(room, again)}>{a('change')}</Button>
              </li>
            );
          })}
        </ul>
      ) : <Nothing icon="clock" title={a('noRoomKeepsLess')} hint={a('noRoomKeepsLessHint')} />}
      {!found.complete && <p class="hint">{a('firstRooms', { n: i18n.number(found.rooms.length) })}</p>}
    </>
  );
}
