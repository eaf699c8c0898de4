// Who is in the open room, who is online, and what can be done about it.
import type { Member, Role, Room } from '@parley/client';
import { useEffect, useState } from 'preact/hooks';
import { client, myId } from '@/app/client';
import { explain } from '@/app/errors';
import { toRoom } from '@/app/route';
import { shortTime } from '@/i18n/dates';
import { t } from '@/i18n/i18n';
import { confirmLeave, openRoomInfo, openRoomSettings } from '@/rooms/room_dialogs';
import { Avatar } from '@/ui/avatar';
import { Button, IconButton } from '@/ui/button';
import { FormDialog } from '@/ui/dialog';
import { useEvent } from '@/ui/hooks';
import { Menu, type MenuEntry } from '@/ui/menu';
import { overlay, toast } from '@/ui/overlay';
import { openAdd } from './add_member';
import { people } from './people';
import { titleOf } from './title';

const RANK: Record<Role, number> = { owner: 2, admin: 1, member: 0 };

export function MembersPanel({ room, onClose }: { room: Room; onClose: () => void }) {
  useEvent(people, 'change');
  useEvent(room, 'change');
  const [filter, setFilter] = useState('');
  useEffect(() => {
    if (people.of(room).loaded) void people.load(room).catch(() => {}); // the room itself reads them first
  }, [room]);
  const members = people.of(room);
  const info = room.info!;
  const wanted = filter.toLocaleLowerCase();
  const shown = members.list.filter(({ username, display_name }) =>
    `${username}\n${display_name ?? ''}`.toLocaleLowerCase().includes(wanted));
  const online = sorted(shown.filter(({ user_id }) => people.isOnline(user_id)));
  const offline = sorted(shown.filter(({ user_id }) => !people.isOnline(user_id)));
  const group = (title: string, list: Member[]) => list.length > 0 && (
    <section>
      <h3>{title}</h3>
      <ul class="member-list">{list.map((member) => <MemberRow key={member.user_id} room={room} member={member} />)}</ul>
    </section>
  );
  return (
    <aside class="members" aria-label={t('membersTitle')}>
      <header class="panel-head">
        <h2 class="grow">{t('membersCount', { n: info.member_count })}</h2>
        <IconButton icon="close" label={t('closeMembers')} onClick={onClose} />
      </header>
      <div class="members-scroll">
        {members.list.length > 12 && (
          <input class="input" type="search" placeholder={t('filterMembers')} aria-label={t('filterMembers')}
            value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        )}
        {group(t('online'), online)}
        {group(t('offline'), offline)}
        {members.next && (
          <Button class="small wide" onClick={() => void people.more(room).catch((error) => toast(explain(error)))}>{t('loadMore')}</Button>
        )}
        {Boolean(members.error) && !members.loaded && (
          <p class="notice" role="alert">{explain(members.error)}{' '}
            <button type="button" class="link" onClick={() => void people.load(room).catch(() => {})}>{t('tryAgain')}</button></p>
        )}
      </div>
      {info.kind !== 'dm' && <Foot room={room} />}
    </aside>
  );
}

function nameOf({ username, display_name }: Member): string {
  return display_name || username;
}

function sorted(list: Member[]): Member[] {
  return [...list].sort((a, b) => RANK[b.role] - RANK[a.role] || nameOf(a).localeCompare(nameOf(b)));
}

function Foot({ room }: { room: Room }) {
  const manages = RANK[room.info!.my_role ?? 'member'] > 0;
  return (
    <footer class="members-foot">
      {manages && <Button class="wide" onClick={() => openAdd(room)}>{t('addSomebody')}</Button>}
      {manages ? <Button class="wide" onClick={() => openRoomSettings(room)}>{t('roomSettings')}</Button>
        : <Button class="wide" onClick={() => openRoomInfo(room)}>{t('aboutRoom')}</Button>}
      <Button kind="danger-text" class="wide" onClick={() => confirmLeave(room, titleOf(room))}>{t('leaveRoom')}</Button>
    </footer>
  );
}

function MemberRow({ room, member }: { room: Room; member: Member }) {
  const { user_id, username, display_name, role } = member;
  const name = nameOf(member);
  const me = user_id === myId();
  const isOnline = people.isOnline(user_id);
  const seen = people.lastSeen(user_id);
  const status = isOnline ? t('online') : seen ? t('lastSeen', { time: shortTime(seen) }) : t('offline');
  const entries = me ? [] : actionsOn(room, member);
  return (
    <li class={`member ${isOnline ? '' : 'is-offline'}`}>
      <Avatar id={user_id} name={name} picture={member.avatar_media_id} online={isOnline} />
      <div class="grow member-text">
        <p class="member-line">
          <span class="member-name" dir="auto" title={`@${username}`}>{name}</span>
          {me && <span class="hint">{t('you')}</span>}
          {role !== 'member' && room.info!.kind !== 'dm' && <span class="role">{t(role)}</span>}
        </p>
        <p class="hint ellipsis">{display_name && <><bdi>@{username}</bdi> · </>}{status}</p>
      </div>
      {!me && room.info!.kind !== 'dm' && (
        <IconButton icon="send" label={t('messageTo', { name })} class="member-dm" onClick={() => void write(user_id)} />
      )}
      {entries.length > 0 && <Menu icon="more" label={t('actionsOn', { name })} entries={entries} />}
    </li>
  );
}

async function write(userId: string): Promise<void> {
  try {
    toRoom((await client.dm(userId)).id);
  } catch (error) {
    toast(explain(error));
  }
}

function actionsOn(room: Room, member: Member): MenuEntry[] {
  const { user_id, role } = member;
  const name = nameOf(member);
  const mine = RANK[room.info!.my_role ?? 'member'];
  if (room.info!.kind === 'dm' || mine === 0 || (mine < 2 && RANK[role] >= mine)) return [];
  const give = (next: Role) => () => void room.setMember(user_id, next)
    .then(() => people.load(room)).catch((error) => toast(explain(error)));
  const entries: MenuEntry[] = [];
  if (role === 'member') entries.push({ icon: 'shield', label: t('makeAdmin'), run: give('admin') });
  if (mine === 2 && role !== 'owner') entries.push({ icon: 'shield', label: t('makeOwner'), run: give('owner') });
  if (role !== 'member' && (mine === 2 || role !== 'owner')) {
    entries.push({ icon: 'people', label: t('makeMember'), run: give('member') });
  }
  entries.push({ icon: 'trash', label: t('removeName', { name }), danger: true, run: () => confirmRemove(room, user_id, name) });
  return entries;
}

function confirmRemove(room: Room, userId: string, name: string): void {
  overlay.open(
    <FormDialog
      title={t('removeTitle', { name })} action={t('remove')} danger onClose={overlay.close} key="remove"
      run={async () => {
        await room.removeMember(userId);
        await people.load(room).catch(() => {});
      }}
    >
      <p>{t('removeText')}</p>
    </FormDialog>,
  );
}
