// Public rooms: searched, joined, opened.
import type { RoomFields } from '@parley/client';
import { useState } from 'preact/hooks';
import { client } from '@/app/client';
import { explain } from '@/app/errors';
import { toRoom } from '@/app/route';
import { t, tn } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { useAsked } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { Empty, overlay, toast } from '@/ui/overlay';
import { openNewRoom } from './room_dialogs';

const WAIT_MS = 180;
const PAGE = 30;

export function openDirectory(): void {
  overlay.open(<Directory />);
}

function Directory() {
  const [query, setQuery] = useState('');
  const [more, setMore] = useState<{ query: string; rooms: RoomFields[]; next: string | null } | null>(null);
  const { value, error, again } = useAsked(async (signal) => {
    await new Promise((go) => setTimeout(go, query ? WAIT_MS : 0));
    signal.throwIfAborted();
    return { ...await client.directory({ query, limit: PAGE }), query };
  }, [query]);
  const extra = more?.query === value?.query ? more : null;
  const rooms = [...(value?.rooms ?? []), ...(extra?.rooms ?? [])];
  const next = extra ? extra.next : value?.next;
  const loadMore = async () => {
    try {
      const page = await client.directory({ query, limit: PAGE, cursor: next! });
      setMore({ query, rooms: [...(extra?.rooms ?? []), ...page.rooms], next: page.next });
    } catch (thrown) {
      toast(explain(thrown));
    }
  };
  return (
    <Dialog title={t('publicRooms')} class="directory-dialog" onClose={overlay.close}>
      <div class="search-field">
        <Icon name="search" size={18} />
        <input
          class="input" type="search" aria-label={t('searchRooms')} placeholder={t('searchRoomsHint')} value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </div>
      <ul class="directory" aria-busy={!value}>
        {rooms.map((room) => <Found key={room.id} room={room} />)}
      </ul>
      {next && <Button class="wide" onClick={() => void loadMore()}>{t('loadMore')}</Button>}
      {Boolean(error) && (
        <p class="notice" role="alert">{explain(error)} <button type="button" class="link" onClick={again}>{t('tryAgain')}</button></p>
      )}
      {value && !rooms.length && (
        <Empty title={query ? t('noRoomFits') : t('noPublicRooms')}>
          <div class="empty-actions">
            <Button kind="primary" onClick={() => openNewRoom(toRoom, query)}>{t('makeARoom')}</Button>
          </div>
        </Empty>
      )}
    </Dialog>
  );
}

function Found({ room }: { room: RoomFields }) {
  const [busy, setBusy] = useState(false);
  const mine = Boolean(client.room(room.id).info?.my_role);
  const enter = async () => {
    setBusy(true);
    try {
      if (!mine) await client.joinRoom(room.id);
      overlay.close();
      toRoom(room.id);
    } catch (thrown) {
      toast(explain(thrown));
      setBusy(false);
    }
  };
  return (
    <li>
      <span class="room-icon"><Icon name="hash" size={18} /></span>
      <div class="grow">
        <p class="found-name" dir="auto">{room.name}</p>
        <p class="hint" dir="auto">{tn('members', room.member_count)}{room.topic && ` · ${room.topic}`}</p>
      </div>
      <Button kind={mine ? '' : 'primary'} class="small" disabled={busy} onClick={() => void enter()}>
        {mine ? t('open') : t('join')}
      </Button>
    </li>
  );
}
