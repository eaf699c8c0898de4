// All groups: who is in them, how fast they may go and how long they keep what was said.
import type { Room, RoomFields } from '@parley/client';
import { client } from '@/app/client';
import { toRoom } from '@/app/route';
import { i18n, t, tn } from '@/i18n/i18n';
import { leaving } from '@/rooms/leaving';
import { openRoomSettings, seconds } from '@/rooms/room_dialogs';
import { Field, FormDialog } from '@/ui/dialog';
import { useEvent } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { Menu, type MenuEntry } from '@/ui/menu';
import { overlay, toast } from '@/ui/overlay';
import { List } from './list';
import { pageOf, usePaged } from './paged';
import { openRoomPace } from './room_pace';
import { openRoomWords } from './room_words';
import { a, explainHere, told, Told } from './words';

const PAGE = 50;

export function RoomList() {
  useEvent(client, 'rooms');
  const list = usePaged(async (query, cursor) => {
    const page = await client.call('GET /v1/admin/rooms', { query: pageOf(PAGE, query, cursor) });
    return { items: page.rooms, next: page.next };
  });
  return (
    <>
      <p class="hint admin-lead">{a('roomsHint')}</p>
      <List list={list} search={[a('searchRooms'), a('searchRoomsHint')]}
        empty={list.query ? { icon: 'hash', title: a('noRoomFits') } : { icon: 'hash', title: a('noRooms'), hint: a('noRoomsHint') }}>
        <ul class="admin-rows">
          {list.items.map((room) => <RoomRow key={room.id} room={room} changed={(now) => list.replace(room.id, now)} />)}
        </ul>
      </List>
    </>
  );
}

/** The room as this client follows it, where it is one of mine. */
export function mine(id: string): Room | undefined {
  return client.rooms.find((room) => room.id === id);
}

export function RoomIcon({ room }: { room: Pick<RoomFields, 'visibility'> }) {
  return <span class="room-icon"><Icon name={room.visibility === 'private' ? 'lock' : 'hash'} size={18} /></span>;
}

type Changed = (room: RoomFields | null) => void;

function RoomRow({ room: listed, changed }: { room: RoomFields; changed: Changed }) {
  const room = mine(listed.id)?.info ?? listed;
  const facts = [room.visibility === 'private' ? a('isPrivate') : a('isPublic'), tn('members', room.member_count),
    i18n.date(room.created_at, 'since', { dateStyle: 'medium' })];
  return (
    <li data-id={room.id}>
      <RoomIcon room={room} />
      <div class="grow">
        <p class="admin-line">
          <strong class="ellipsis" dir="auto">{room.name}</strong>
          {room.slow_mode_seconds > 0 && <span class="role is-plain">{a('slowShort', { time: seconds(room.slow_mode_seconds) })}</span>}
          {room.retention_days && <span class="role is-plain">{a('keptShort', { time: tn('days', room.retention_days) })}</span>}
        </p>
        <p class="hint ellipsis">{facts.join(' · ')}{room.topic && <> · <bdi>{room.topic}</bdi></>}</p>
      </div>
      <Menu icon="more" label={a('actionsOnRoom', { name: room.name })} entries={actionsOn(room, changed)} />
    </li>
  );
}

function actionsOn(room: RoomFields, changed: Changed): MenuEntry[] {
  const own = mine(room.id);
  const role = own?.info?.my_role;
  const entries: MenuEntry[] = [];
  if (own) entries.push({ icon: 'next', label: a('openIt'), run: () => toRoom(room.id) });
  else if (room.visibility === 'public') entries.push({ icon: 'plus', label: a('joinIt'), run: () => void join(room.id) });
  if (own && (role === 'owner' || role === 'admin')) {
    entries.push({ icon: 'gear', label: t('roomSettings'), run: () => openRoomSettings(own) });
  }
  if (role !== 'owner') entries.push({ icon: 'clock', label: a('pace'), run: () => openRoomPace(room, changed) });
  entries.push({ icon: 'edit', label: a('roomWords'), run: () => openRoomWords(room) });
  if (own && role === 'owner') {
    entries.push({ icon: 'trash', label: t('deleteRoom'), danger: true, run: () => confirmDelete(own, room.name, () => changed(null)) });
  }
  return entries;
}

async function join(id: string): Promise<void> {
  try {
    await client.joinRoom(id);
    toRoom(id);
  } catch (thrown) {
    toast(explainHere(thrown));
  }
}

function confirmDelete(room: Room, name: string, gone: () => void): void {
  overlay.open(
    <FormDialog
      title={a('deleteTitle', { name })} action={t('delete')} danger onClose={overlay.close} key="delete-room"
      run={async (form) => {
        if (String(new FormData(form).get('confirm')).trim() !== name) throw new Told(a('deleteMismatch'));
        leaving.add(room.id);
        await told(room.remove().catch((error) => {
          leaving.delete(room.id);
          throw error;
        }));
        gone();
        toast(a('deleted', { name }));
      }}
    >
      <p>{a('deleteText')}</p>
      <Field name="confirm" label={a('deleteType')}>
        <input id="field-confirm" name="confirm" class="input" required autocomplete="off" dir="auto" data-focus />
      </Field>
    </FormDialog>,
  );
}
