// One open room: its head, the timeline, who is writing, and the place to write.
import type { Room, TimelineMessage } from '@parley/client';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { client, myId } from '@/app/client';
import { explain, isPassing } from '@/app/errors';
import { toHome } from '@/app/route';
import { session } from '@/app/session';
import { t, tn } from '@/i18n/i18n';
import { outgoing } from '@/media/outgoing';
import { DropZone } from '@/media/drop_zone';
import { partnerOf, people } from '@/people/people';
import { nameOf, titleOf } from '@/people/title';
import { openRoomInfo, openRoomSettings } from '@/rooms/room_dialogs';
import { Avatar } from '@/ui/avatar';
import { IconButton } from '@/ui/button';
import { useEvent, useLatest } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { Empty } from '@/ui/overlay';
import { chatActions, type Target } from './actions';
import { Composer, type ComposerHandle } from './composer';
import { deletions } from './deletions';
import { MessageRow } from './message_row';
import { useMessageKeys } from './message_keys';
import { isMessage, keyOf, type Entry, type Row } from './rows';
import { Timeline } from './timeline';

const AGAIN_MS = 2_000;
const KEPT_MAX = 1500;
const KEPT = 400;
const PAGE = 100;

export function Chat({ room, showsMembers, onMembers }: { room: Room; showsMembers: boolean; onMembers: () => void }) {
  useEvent(room, 'change');
  useEvent(people, 'change');
  useEvent(outgoing, 'change');
  useEvent(deletions, 'change');
  const timeline = useRef<Timeline>(null);
  const composer = useRef<ComposerHandle>(null);
  const [reply, setReply] = useState<TimelineMessage | null>(null);
  const [editing, setEditing] = useState<string | null>(null);
  const [active, setActive] = useState<string | null>(null);
  const [flash, setFlash] = useState<string | null>(null);
  const [atBottom, setAtBottom] = useState(true);
  const [newAbove, setNewAbove] = useState(false);
  const { newFrom, isKnown, clearNew } = useNewLine(room);
  // Before it is known what is new, the copy of the last visit is shown, and nothing is marked as read.
  const ready = room.loaded && isKnown;
  const loading = useLoading(room, timeline);

  const entries = useEntries(room, ready);
  const last = entries.at(-1);
  const activeKey = active ?? (last ? keyOf(last) : null);
  const target: Target = {
    room, reply: (message) => {
      setReply(message);
      composer.current?.focus();
    },
    edit: setEditing,
    jump: async (id) => {
      if (await loading.until(id)) {
        timeline.current?.show(keyAt(room, id));
        setFlash(id);
      }
    },
    focusComposer: () => composer.current?.focus(),
  };
  const latest = useRef(target);
  latest.current = target;
  const actions = useMemo(() => chatActions(() => latest.current), []);
  const keys = useMessageKeys({ timeline, activeKey, setActive, actions, focusComposer: target.focusComposer });

  const read = useLatest((isThere: boolean) => {
    setAtBottom(isThere);
    const newest = room.messages.at(-1);
    if (!isThere || !ready || !newest) return;
    if (!document.hidden && document.hasFocus()) room.markRead(newest.id);
    if (room.messages.length > KEPT_MAX) room.trim(KEPT);
  });
  useEffect(() => {
    const look = () => timeline.current && read(timeline.current.isAtBottom);
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);

  const sent = () => {
    clearNew();
    setReply(null);
    timeline.current?.toBottom();
  };
  const editLast = () => {
    const mine = room.messages.findLast((each) => each.user_id === myId() && !each.deleted && each.type === 'TEXT');
    if (mine) setEditing(mine.id);
  };
  const stopEditing = () => {
    setEditing(null);
    composer.current?.focus();
  };
  const unread = room.info?.unread_count ?? 0;
  const isEmpty = ready && !entries.length;
  const title = titleOf(room);
  return (
    <main class="chat" id="main" tabIndex={-1}>
      <ChatHead room={room} title={title} showsMembers={showsMembers} onMembers={onMembers} />
      <DropZone room={room} onFiles={(files) => composer.current?.attach(files)}>
        <div class={`timeline-box ${isEmpty ? 'has-nothing' : ''}`}>
          <Timeline
            ref={timeline} entries={entries} newFrom={newFrom} myId={myId()} hasOlder={!ready || room.hasOlder}
            label={t('messages')} openAtNew={ready && newFrom !== null}
            version={people.version} activeKey={activeKey} onOlder={loading.older} onBottom={read} onNewAbove={setNewAbove} onKeyDown={keys}
            head={<Head room={room} title={title} error={loading.error} again={loading.again} isEmpty={isEmpty} ready={ready} />}
            draw={(row: Row, isLast) => (
              <MessageRow
                row={row} room={room} actions={actions} version={people.version} active={row.key === activeKey}
                editing={isMessage(row.entry) && row.entry.id === editing} onEdited={stopEditing}
                flash={isMessage(row.entry) && row.entry.id === flash}
                hidden={isMessage(row.entry) && deletions.has(row.entry.id)}
                quote={quoteOf(room, row.entry)}
                receipt={isLast ? receiptOf(room, row.entry) : ''}
              />
            )}
          />
          {newAbove && newFrom !== null && (
            <button type="button" class="pill to-new" onClick={() => {
              void loading.until(newFrom).then(() => timeline.current?.show(firstKeyAfter(room, newFrom)));
            }}>
              <Icon name="up" size={16} />{t('jumpToLastRead')}
            </button>
          )}
          {!atBottom && (
            <button type="button" class={`pill to-newest ${unread ? 'is-unread' : ''}`} onClick={() => timeline.current?.toBottom()}>
              <Icon name="down" size={16} />{unread ? tn('newMessages', unread) : t('newest')}
            </button>
          )}
        </div>
        <Writers room={room} />
        <Composer key={room.id} handle={composer} room={room} title={title} reply={reply} onReply={setReply} onSent={sent} onEditLast={editLast} />
      </DropZone>
    </main>
  );
}

function keyAt(room: Room, id: string): string {
  const found = room.messages.find((message) => message.id === id);
  return found ? keyOf(found) : id;
}

function firstKeyAfter(room: Room, id: string): string {
  const found = room.messages.find((message) => message.user_id !== myId() && BigInt(message.id) > BigInt(id));
  return found ? keyOf(found) : '';
}

function useEntries(room: Room, ready: boolean): readonly Entry[] {
  const { timeline, pending } = room;
  const uploads = outgoing.of(room.id);
  const cached = session.cache?.messages(room.id);
  return useMemo(() => {
    const messages: readonly Entry[] = ready ? timeline : [...(cached ?? []), ...pending];
    return uploads.length ? [...messages, ...uploads] : messages;
  }, [timeline, ready, uploads, cached]);
}

// What was read when the room was opened stays marked until I write.
// What the copy of the last visit says of it may be long past: the list of rooms is waited for, as long as it may come.
function useNewLine(room: Room) {
  useEvent(session, 'change');
  const [newFrom, setNewFrom] = useState<string | null | undefined>(() => (room.stale ? undefined : readUpTo(room)));
  const isKnown = newFrom !== undefined;
  const mayBeKnown = !room.stale || Boolean(session.listError);
  useLayoutEffect(() => {
    if (!isKnown && mayBeKnown) setNewFrom(readUpTo(room));
  });
  return { newFrom: newFrom ?? null, isKnown, clearNew: () => setNewFrom(null) };
}

function readUpTo({ info }: Room): string | null {
  return info?.unread_count ? info.last_read_id ?? '0' : null;
}

function useLoading(room: Room, timeline: { current: Timeline | null }) {
  const [error, setError] = useState<unknown>(null);
  const open = () => {
    setError(null);
    room.open().then(() => session.cache?.note(room), (thrown) => room.state !== 'gone' && setError(thrown));
  };
  useEffect(() => {
    open();
    people.refresh(room).catch(() => {}); // names are shown meanwhile as far as they are known
    return () => {
      if (room.loaded) room.trim(KEPT);
    };
  }, [room]);
  const busy = useRef(false);
  const older = useLatest(() => {
    if (busy.current || error || !room.loaded || !room.hasOlder || client.connection.name !== 'online') return;
    busy.current = true;
    room.more(PAGE).catch(setError).finally(() => {
      busy.current = false;
      timeline.current?.forceUpdate();
    });
  });
  const until = useLatest(async (id: string) => {
    const reaches = () => room.messages[0] && BigInt(room.messages[0].id) <= BigInt(id);
    try {
      while (!reaches() && room.hasOlder) await room.more(PAGE);
    } catch (thrown) {
      setError(thrown);
    }
    return Boolean(reaches());
  });
  const again = useLatest(() => {
    setError(null);
    if (!room.loaded) open();
  });
  // What failed with the connection is tried again when that is back; it may be back already.
  useEffect(() => {
    if (!isPassing(error)) return undefined;
    const retry = () => {
      if (client.connection.name === 'online') again();
    };
    const off = client.on('connection', retry);
    const timer = setTimeout(retry, AGAIN_MS);
    return () => {
      off();
      clearTimeout(timer);
    };
  }, [error]);
  return { error, older, until, again };
}

function quoteOf(room: Room, entry: Entry): TimelineMessage | null {
  if (!entry.reply_to) return null;
  const { messages } = room;
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const id = messages[middle]!.id;
    if (id.length < entry.reply_to.length || (id.length === entry.reply_to.length && id < entry.reply_to)) low = middle + 1;
    else high = middle;
  }
  return messages[low]?.id === entry.reply_to ? messages[low]! : null;
}

// Under the newest message, where it is mine: who has read it.
function receiptOf(room: Room, entry: Entry): string {
  if (!isMessage(entry) || entry.user_id !== myId()) return '';
  const readers = [...room.receipts].filter(([id, mark]) => id !== myId() && BigInt(mark) >= BigInt(entry.id));
  if (!readers.length) return '';
  if (room.info?.kind === 'dm') return t('seen');
  return readers.length <= 3 ? t('seenBy', { names: readers.map(([id]) => nameOf(id)).join(', ') })
    : tn('seenByCount', readers.length);
}

function ChatHead({ room, title, showsMembers, onMembers }:
  { room: Room; title: string; showsMembers: boolean; onMembers: () => void }) {
  const info = room.info!;
  const partner = info.kind === 'dm' ? partnerOf(room) : undefined;
  const isOnline = Boolean(partner && people.isOnline(partner));
  const manages = info.my_role === 'owner' || info.my_role === 'admin';
  const topic = info.kind === 'dm' ? (isOnline ? t('online') : t('offline')) : info.topic || tn('members', info.member_count);
  return (
    <header class="panel-head chat-head">
      <IconButton icon="back" label={t('backToRooms')} class="back" onClick={() => toHome()} />
      {info.kind === 'dm' ? <Avatar id={partner ?? room.id} name={title} online={isOnline} />
        : <span class="room-icon"><Icon name={info.visibility === 'private' ? 'lock' : 'hash'} size={18} /></span>}
      <div class="grow chat-title">
        <h2 dir="auto">{title}</h2>
        <p class="topic" dir="auto" title={info.topic}>{topic}</p>
      </div>
      {info.kind === 'group' && (
        <IconButton icon="gear" label={manages ? t('roomSettings') : t('aboutRoom')} class="room-gear"
          onClick={() => (manages ? openRoomSettings : openRoomInfo)(room)} />
      )}
      <IconButton icon="people" label={t('toggleMembers')} aria-expanded={showsMembers} onClick={onMembers} />
    </header>
  );
}

function Head({ room, title, error, again, isEmpty, ready }:
  { room: Room; title: string; error: unknown; again: () => void; isEmpty: boolean; ready: boolean }) {
  if (error) {
    return (
      <p class="notice" role="alert">
        {t('messagesFailed')} {explain(error)} <button type="button" class="link" onClick={again}>{t('tryAgain')}</button>
      </p>
    );
  }
  if (!ready || room.hasOlder) return <p class="loading">{client.connection.name === 'online' ? t('loading') : ''}</p>;
  if (isEmpty) return <Empty title={t('quietHere')}><p class="hint">{t('quietHint')}</p></Empty>;
  return (
    <div class="beginning">
      <p class="beginning-title" dir="auto">{title}</p>
      <p class="hint">{room.info?.kind === 'dm' ? t('beginningOfDm') : t('beginningOfRoom', { name: title })}</p>
    </div>
  );
}

function Writers({ room }: { room: Room }) {
  const names = room.typing.map(nameOf);
  const text = names.length === 0 ? '' : names.length === 1 ? t('oneWrites', { name: names[0]! })
    : names.length === 2 ? t('twoWrite', { first: names[0]!, second: names[1]! }) : t('severalWrite');
  return <p class="typing" aria-live="polite"><span class={`dots ${names.length ? 'is-on' : ''}`} aria-hidden="true" />{text}</p>;
}
