import { client } from '@/app/client';
import { toRoom } from '@/app/route';
import { i18n, t, tn } from '@/i18n/i18n';
import { seconds } from '@/rooms/room_dialogs';
import { Button } from '@/ui/button';
import { Icon } from '@/ui/icon';
import { List } from './list';
import { usePaged } from './paged';

const PAGE = 50;

/** All groups: how many are in them, their limits, and how long they keep messages. */
export function RoomTable() {
  const list = usePaged(async (query, cursor) => {
    const page = await client.call('GET /v1/admin/rooms', { query: { limit: PAGE, ...(query && { query }), ...(cursor && { cursor }) } });
    return { items: page.rooms, next: page.next };
  });
  return (
    <List list={list} search={t('adminSearchRooms')} empty={t('adminNoRoom')}>
      <ul class="admin-rows">
        {list.items.map((room) => (
          <li key={room.id}>
            <span class="room-icon"><Icon name={room.visibility === 'private' ? 'lock' : 'hash'} size={18} /></span>
            <div class="grow">
              <p class="member-line"><strong class="ellipsis" dir="auto">{room.name}</strong></p>
              <p class="hint" dir="auto">
                {[tn('members', room.member_count), i18n.date(room.created_at, 'since', { dateStyle: 'medium' }), room.topic]
                  .filter(Boolean).join(' · ')}
              </p>
            </div>
            <dl class="admin-facts">
              <div><dt>{t('slowMode')}</dt><dd>{seconds(room.slow_mode_seconds)}</dd></div>
              <div><dt>{t('retention')}</dt><dd>{room.retention_days ? tn('days', room.retention_days) : '∞'}</dd></div>
            </dl>
            {client.room(room.id).info?.my_role && <Button class="small" onClick={() => toRoom(room.id)}>{t('open')}</Button>}
          </li>
        ))}
      </ul>
    </List>
  );
}
