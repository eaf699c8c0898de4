// The page: signed out, or rooms beside the open one.
import { useEffect, useState } from 'preact/hooks';
import { Auth } from '@/account/auth';
import { ConnectionBanner } from '@/connection/banner';
import { i18n, t } from '@/i18n/i18n';
import { Chat } from '@/messages/chat';
import { watchNews } from '@/messages/news';
import { MembersPanel } from '@/people/members_panel';
import { Sidebar } from '@/rooms/sidebar';
import { titleOf } from '@/people/title';
import { people } from '@/people/people';
import { Announcer, Empty, Overlays, overlay, toast } from '@/ui/overlay';
import { useEvent } from '@/ui/hooks';
import { leaving } from '@/rooms/leaving';
import { AdminPage } from '@/admin/lazy';
import { client } from './client';
import { useShortcuts } from './keys';
import { roomKey } from './platform';
import { router, toHome } from './route';
import { session } from './session';

const WIDE = '(min-width: 1000px)';

export function App() {
  useEvent(session, 'change');
  useEvent(i18n, 'change');
  const { state } = session;
  useEffect(() => {
    overlay.close();
    if (state.name === 'out') document.title = 'Parley';
  }, [state.name]);
  return (
    <>
      {state.name === 'out' && <Auth ended={state.ended} />}
      {state.name === 'in' && <Main key={i18n.language} />}
      <Overlays />
      <Announcer />
    </>
  );
}

function Main() {
  useEvent(router, 'change');
  useEvent(client, 'rooms');
  useEvent(people, 'change');
  useShortcuts();
  const [showsMembers, setShowsMembers] = useState(() => matchMedia(WIDE).matches);
  const { route } = router;
  const open = route.page === 'room' ? client.rooms.find((room) => room.id === route.id) : undefined;
  useEffect(() => watchNews(), []);
  useOpenRoom(open?.id);

  const unread = client.rooms.reduce((sum, room) => sum + (room.info?.unread_count ?? 0), 0);
  const name = route.page === 'admin' ? t('administration') : open ? titleOf(open) : 'Parley';
  useEffect(() => {
    document.title = `${unread ? `(${unread}) ` : ''}${name}${name === 'Parley' ? '' : ' · Parley'}`;
  }, [unread, name]);

  const shows = route.page === 'home' || (route.page === 'room' && !open) ? 'list' : 'content';
  return (
    <div class={`app shows-${shows}`}>
      <a class="skip" href="#main" onClick={skip}>{t('skipToContent')}</a>
      <ConnectionBanner />
      <div class="columns">
        <Sidebar openId={open?.id} />
        {route.page === 'admin' ? <AdminPage tab={route.tab} />
          : open ? (
            <>
              <Chat key={open.id} room={open} showsMembers={showsMembers} onMembers={() => setShowsMembers(!showsMembers)} />
              {showsMembers && <MembersPanel key={`m${open.id}`} room={open} onClose={() => setShowsMembers(false)} />}
            </>
          ) : <Nothing />}
      </div>
    </div>
  );
}

function skip(event: MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('main textarea, main')?.focus();
}

// A room that was open and is mine no more is left; that was somebody else's doing when it comes as an event.
function useOpenRoom(openId: string | undefined): void {
  const [before, setBefore] = useState<{ id: string; name: string } | null>(null);
  const { route } = router;
  useEffect(() => {
    const room = openId ? client.room(openId) : null;
    if (room) setBefore({ id: room.id, name: titleOf(room) });
    else if (before && route.page === 'room' && route.id === before.id && client.room(before.id).state === 'gone') {
      setBefore(null);
      if (!leaving.delete(before.id)) toast(t('notInRoomAnyMore', { name: before.name }));
      toHome(true);
    }
  });
}

function Nothing() {
  const { rooms } = client;
  if (!session.listed && !rooms.length) return <main class="chat is-empty" id="main" aria-busy="true" />;
  return (
    <main class="chat is-empty" id="main" tabIndex={-1}>
      <Empty title={rooms.length ? t('chooseRoom') : t('welcome')}>
        <p class="hint">{rooms.length ? t('chooseRoomHint', { key: roomKey() }) : t('welcomeHint')}</p>
      </Empty>
    </main>
  );
}
