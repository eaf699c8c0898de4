// Messages that a word holds until somebody has looked at them.
import type { HeldMessage } from '@parley/client';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { client } from '@/app/client';
import { codeOf } from '@/app/errors';
import { clock, dayText } from '@/i18n/dates';
import { t } from '@/i18n/i18n';
import { people } from '@/people/people';
import { Avatar } from '@/ui/avatar';
import { Button } from '@/ui/button';
import { FormDialog } from '@/ui/dialog';
import { useAsked, useEvent } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { overlay, toast } from '@/ui/overlay';
import { heldCount } from './held_count';
import { Failed, List } from './list';
import { names } from './names';
import { pageOf, usePaged } from './paged';
import { mine } from './room_list';
import { a, explainHere, Told } from './words';

const PAGE = 50;
const CONTEXT = 3;

export function Held() {
  useEvent(names, 'change');
  useEvent(people, 'change');
  const rows = useRef<HTMLUListElement>(null);
  const list = usePaged(async (_, cursor) => {
    const { held, next } = await client.call('GET /v1/admin/held', { query: pageOf(PAGE, '', cursor) });
    await names.learn(held.map((each) => each.user_id), held.map((each) => each.room_id));
    return { items: held, next };
  });
  const shown = list.items.length;
  // What came since is shown when nothing is open that it would push away.
  useEffect(() => heldCount.on('change', () => {
    if (!list.next && heldCount.value !== shown) list.again();
  }), [list.next, shown]);
  const decided = (at: number, id: string) => {
    list.replace(id, null);
    void heldCount.ask();
    requestAnimationFrame(() => {
      const left = rows.current?.querySelectorAll<HTMLElement>('.held') ?? [];
      (left[Math.min(at, left.length - 1)] ?? document.getElementById('main'))?.focus();
    });
  };
  return (
    <List list={list} empty={{ icon: 'check', title: a('nothingHeld'), hint: a('nothingHeldHint') }}>
      <ul class="held-list" ref={rows} onKeyDown={moveAmongHeld}>
        {list.items.map((held, at) => <HeldCard key={held.id} held={held} decided={() => decided(at, held.id)} />)}
      </ul>
    </List>
  );
}

function moveAmongHeld(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const cards = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('.held')];
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const next = cards[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** What went wrong, said so that somebody who decides knows what to do. */
function whyNot(thrown: unknown): string {
  const code = codeOf(thrown);
  if (code === 'unknown_message' || code === 'unknown_room') return a('goneAlready');
  return code === 'not_a_member' ? a('authorLeft') : explainHere(thrown);
}

const isGone = (thrown: unknown) => ['unknown_message', 'unknown_room'].includes(codeOf(thrown));

function roomTitle(id: string): string {
  const name = names.room(id);
  return name === null ? a('directMessage') : name || a('aRoom');
}

function HeldCard({ held, decided }: { held: HeldMessage; decided: () => void }) {
  const [busy, setBusy] = useState(false);
  const [opened, setOpened] = useState(false);
  const path = { room_id: held.room_id, held_id: held.id };
  const looks = people.looksOf(held.user_id);
  const author = names.user(held.user_id) || t('somebody');
  const approve = async () => {
    setBusy(true);
    try {
      await client.call('POST /v1/rooms/{room_id}/held/{held_id}/approve', { path });
      toast(a('approved'));
      decided();
    } catch (thrown) {
      toast(whyNot(thrown));
      if (isGone(thrown)) decided();
      setBusy(false);
    }
  };
  const reject = () => overlay.open(
    <FormDialog
      title={a('rejectTitle')} action={a('reject')} danger onClose={overlay.close} key="reject"
      run={async () => {
        try {
          await client.call('POST /v1/rooms/{room_id}/held/{held_id}/reject', { path });
          toast(a('rejected'));
        } catch (thrown) {
          if (!isGone(thrown)) throw new Told(whyNot(thrown));
          toast(a('goneAlready'));
        }
        decided();
      }}
    >
      <blockquote class="held-text" dir="auto">{held.content || t('attachment')}</blockquote>
      <p>{a('rejectText')}</p>
    </FormDialog>,
  );
  return (
    <li class="held" tabIndex={-1} data-id={held.id}>
      <header class="held-head">
        <Avatar id={held.user_id} name={author} />
        <div class="grow">
          <p class="ellipsis"><strong dir="auto">{author}</strong>
            {looks?.display_name && <span class="hint" dir="auto"> @{looks.username}</span>}</p>
          <p class="hint ellipsis"><bdi>{a('inRoom', { name: roomTitle(held.room_id) })}</bdi>{' · '}
            <time dateTime={held.created_at}>{dayText(held.created_at)}, {clock(held.created_at)}</time></p>
        </div>
      </header>
      {opened && <Context held={held} />}
      {held.content && <p class="held-text" dir="auto">{marked(held.content, held.words)}</p>}
      {held.media_id && <p class="hint held-line"><Icon name="attach" size={16} />{a('withFile')}</p>}
      {held.reply_to && <p class="hint held-line"><Icon name="reply" size={16} />{a('isReply')}</p>}
      <footer class="held-foot">
        <p class="held-words grow"><span class="hint">{a('heldFor')}</span> {held.words.map((word) => <mark key={word} dir="auto">{word}</mark>)}</p>
        <Button class="small" kind="plain" aria-expanded={opened} onClick={() => setOpened(!opened)}>
          {opened ? a('hideContext') : a('showContext')}
        </Button>
        <Button class="small" kind="danger-text" disabled={busy} onClick={reject}>{a('reject')}</Button>
        <Button class="small" kind="primary" disabled={busy} onClick={() => void approve()}>{a('approve')}</Button>
      </footer>
    </li>
  );
}

/** What was said before, for those who are in the room. */
function Context({ held }: { held: HeldMessage }) {
  const { value, error, again } = useAsked(async () => {
    if (!mine(held.room_id)) return null;
    const page = await client.call('GET /v1/rooms/{room_id}/messages', {
      path: { room_id: held.room_id }, query: { before: held.id, limit: CONTEXT },
    });
    const messages = [...page.messages].sort((one, other) => one.created_at.localeCompare(other.created_at));
    await names.learn(messages.map((each) => each.user_id), []);
    return messages;
  }, [held.id]);
  if (error) return <Failed error={error} again={again} />;
  if (value === undefined) return <div class="context" aria-busy="true" />;
  if (!value) return <p class="hint context">{a('outsideRoom')}</p>;
  if (!value.length) return <p class="hint context">{a('noContext')}</p>;
  return (
    <ul class="context">
      {value.map((message) => (
        <li key={message.id}>
          <strong dir="auto">{names.user(message.user_id) || t('somebody')}</strong>{' '}
          <span dir="auto">{message.deleted ? t('messageDeleted') : message.content || t('attachment')}</span>
        </li>
      ))}
    </ul>
  );
}

/** The text, with the words that hold it marked where they stand as they are. */
function marked(text: string, words: string[]): ComponentChildren {
  const plain = words.map((word) => word.replace(/\*/g, '').trim()).filter(Boolean);
  if (!plain.length) return text;
  const any = new RegExp(`(${plain.map((word) => word.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|')})`, 'giu');
  return text.split(any).map((part, i) => (i % 2 ? <mark key={i}>{part}</mark> : part));
}
