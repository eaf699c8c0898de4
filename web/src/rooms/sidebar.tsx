// The list of my rooms, the most active first, and who I am.
import type { Room } from '@parley/client';
import { client, myId } from '@/app/client';
import { explain } from '@/app/errors';
import { roomKey } from '@/app/platform';
import { session } from '@/app/session';
import { router, toRoom } from '@/app/route';
import { openSettings } from '@/account/settings';
import { confirmLogOut } from '@/account/log_out';
import { shortTime } from '@/i18n/dates';
import { i18n, t, tn } from '@/i18n/i18n';
import { plain } from '@/messages/markdown';
import { drafts } from '@/messages/drafts';
import { partnerOf, people } from '@/people/people';
import { nameOf, titleOf } from '@/people/title';
import { Avatar } from '@/ui/avatar';
import { Button, IconButton } from '@/ui/button';
import { useEvent } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { Empty } from '@/ui/overlay';
import { openDirectory } from './directory';
import { openNewRoom } from './room_dialogs';
import { openSwitcher } from './switcher';

const UNREAD_SHOWN_MAX = 999;

export function Sidebar({ openId }: { openId: string | undefined }) {
  useEvent(client, 'rooms', 'user');
  useEvent(people, 'change');
  useEvent(session, 'change');
  const { rooms } = client;
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const links = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('a.room')];
    const at = links.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    event.preventDefault();
    links[at + step]?.focus();
  };
  return (
    <nav class="sidebar" aria-label={t('rooms')}>
      <header class="panel-head sidebar-head">
        <img src="/favicon.svg" alt="" width="26" height="26" />
        <h1 class="grow">Parley</h1>
        <IconButton icon="search" label={t('findRoom')} onClick={openDirectory} />
        <IconButton icon="plus" label={t('newRoom')} onClick={() => openNewRoom(toRoom)} />
      </header>
      {rooms.length > 4 && (
        <button type="button" class="quick" onClick={openSwitcher}>
          <Icon name="search" size={16} /><span class="grow">{t('goToRoom')}</span><kbd>{roomKey()}</kbd>
        </button>
      )}
      <div class="sidebar-scroll" onKeyDown={keys}>
        <ul class="room-list">
          {rooms.map((room) => <RoomLink key={room.id} room={room} open={room.id === openId} />)}
        </ul>
        {!session.listed && !rooms.length && !session.listError && <Skeleton />}
        {Boolean(session.listError) && !rooms.length && <p class="notice" role="alert">{explain(session.listError)}</p>}
        {session.listed && !rooms.length && (
          <Empty title={t('noRooms')}>
            <p class="hint">{t('noRoomsHint')}</p>
            <div class="empty-actions">
              <Button kind="primary" onClick={openDirectory}>{t('findARoom')}</Button>
              <Button onClick={() => openNewRoom(toRoom)}>{t('makeARoom')}</Button>
            </div>
          </Empty>
        )}
      </div>
      <Me />
    </nav>
  );
}

function Skeleton() {
  return <div class="skeletons" aria-hidden="true">{[0, 1, 2, 3].map((i) => <div key={i} class="skeleton-room" />)}</div>;
}

function RoomLink({ room, open }: { room: Room; open: boolean }) {
  const info = room.info!;
  const last = info.last_message;
  const title = titleOf(room);
  const partner = info.kind === 'dm' ? partnerOf(room) : undefined;
  const unread = info.unread_count ?? 0;
  const draft = !open && drafts.get(room.id);
  const writing = room.typing.length > 0;
  return (
    <li class={unread ? 'has-unread' : ''}>
      <a class="room" href={`#/r/${room.id}`} aria-current={open ? 'page' : undefined}>
        {info.kind === 'dm'
          ? <Avatar id={partner ?? room.id} name={title} online={partner ? people.isOnline(partner) : undefined} />
          : <span class="room-icon"><Icon name={info.visibility === 'private' ? 'lock' : 'hash'} size={18} /></span>}
        <span class="room-text">
          <span class="room-line">
            <span class="room-name" dir="auto">{title}</span>
            {last && <time dateTime={last.created_at}>{shortTime(last.created_at)}</time>}
          </span>
          <span class="room-line">
            <span class="room-preview" dir="auto">
              {writing ? <em>{t('writing')}</em> : draft ? <><b>{t('draft')}</b> {draft}</> : previewOf(room)}
            </span>
            {unread > 0 && (
              <>
                <span class="badge" aria-hidden="true">
                  {unread > UNREAD_SHOWN_MAX ? `${i18n.number(UNREAD_SHOWN_MAX)}+` : i18n.number(unread)}
                </span>
                <span class="visually-hidden">{tn('unread', unread)}</span>
              </>
            )}
          </span>
        </span>
      </a>
    </li>
  );
}

function previewOf({ info }: Room): string {
  const last = info?.last_message;
  if (!last) return info?.topic || t('noMessagesYet');
  if (last.deleted) return t('messageDeleted');
  const text = plain(last.content) || last.media?.filename || t('attachment');
  if (last.user_id === myId()) return t('youSaid', { text });
  return info.kind !== 'dm' && people.nameOf(last.user_id) ? t('somebodySaid', { name: nameOf(last.user_id), text }) : text;
}

function Me() {
  const { user } = client;
  if (!user) return null;
  const name = user.display_name || user.username;
  const canModerate = user.role !== 'user';
  return (
    <footer class="me">
      <button type="button" class="me-button grow" aria-label={t('settings')} title={t('settings')} onClick={openSettings}>
        <Avatar id={user.id} name={name} online={client.connection.name === 'online'} />
        <span class="me-text">
          <strong dir="auto">{name}</strong>
          <span class="hint"><bdi>@{user.username}</bdi></span>
        </span>
        <Icon name="gear" />
      </button>
      {canModerate && (
        <IconButton icon="shield" label={t('administration')} onClick={() => router.go('#/admin')} />
      )}
      <IconButton icon="exit" label={t('logOut')} onClick={confirmLogOut} />
    </footer>
  );
}
