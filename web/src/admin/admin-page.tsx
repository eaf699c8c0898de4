// For those who run the server: how it is, users, rooms, held messages, words, limits and retention.
import './admin.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { client } from '@/app/client';
import { toHome } from '@/app/route';
import { i18n, t } from '@/i18n/i18n';
import { IconButton } from '@/ui/button';
import { useEvent } from '@/ui/hooks';
import { Icon, type IconName } from '@/ui/icon';
import { Held } from './held';
import { heldCount } from './held_count';
import { Limits } from './limits';
import { Overview } from './overview';
import { Retention } from './retention';
import { RoomList } from './room_list';
import { Users } from './users';
import { a, type AdminWord } from './words';
import { WordLists } from './word_lists';

export { loadWords } from './words';

interface Tab {
  id: string;
  word: AdminWord;
  icon: IconName;
  admins?: boolean;
  Page: () => ComponentChildren;
}

const TABS: Tab[] = [
  { id: 'overview', word: 'overview', icon: 'shield', Page: Overview },
  { id: 'held', word: 'held', icon: 'alert', Page: Held },
  { id: 'users', word: 'users', icon: 'people', admins: true, Page: Users },
  { id: 'rooms', word: 'rooms', icon: 'hash', Page: RoomList },
  { id: 'words', word: 'words', icon: 'edit', Page: WordLists },
  { id: 'limits', word: 'limits', icon: 'lock', Page: Limits },
  { id: 'retention', word: 'retention', icon: 'clock', Page: Retention },
];

export function Admin({ tab: wanted }: { tab: string }) {
  useEvent(client, 'user');
  useEvent(heldCount, 'change');
  const [asked, setAsked] = useState(false);
  const role = client.user?.role ?? 'user';
  const allowed = role !== 'user';
  // A role may be newer than the session.
  useEffect(() => void client.me().catch(() => {}).finally(() => setAsked(true)), []);
  useEffect(() => (allowed ? heldCount.watch() : undefined), [allowed]);
  const tab = TABS.find(({ id }) => id === wanted) ?? TABS[0]!;
  const body = useRef<HTMLDivElement>(null);
  const tabs = useRef<HTMLElement>(null);
  useEffect(() => {
    body.current?.scrollTo(0, 0);
    tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [tab.id, allowed]);
  return (
    <main class="chat admin" id="main" tabIndex={-1} aria-busy={!allowed && !asked}>
      <header class="panel-head chat-head">
        <IconButton icon="back" label={t('backToRooms')} class="back" onClick={() => toHome()} />
        <div class="grow chat-title"><h1 class="visually-hidden">Parley</h1><h2>{t('administration')}</h2></div>
      </header>
      {allowed ? (
        <>
          <nav class="admin-tabs" aria-label={a('sections')} ref={tabs} onKeyDown={moveAmongTabs}>
            {TABS.filter(({ admins }) => !admins || role === 'admin').map(({ id, word, icon }) => (
              <a key={id} href={`#/admin/${id}`} aria-current={id === tab.id ? 'page' : undefined}>
                <Icon name={icon} size={16} />{a(word)}
                {id === 'held' && heldCount.value > 0 && <span class="badge">{heldCount.text}</span>}
              </a>
            ))}
          </nav>
          <div class="admin-body" ref={body} tabIndex={0} role="region" aria-label={a(tab.word)}>
            <div class="admin-page">
              {tab.admins && role !== 'admin'
                ? <Closed title={a('adminsOnly')} hint={a('adminsOnlyHint')} />
                : <tab.Page key={tab.id} />}
            </div>
          </div>
        </>
      ) : asked && <Closed title={a('adminOnly')} hint={a('adminOnlyHint')} />}
    </main>
  );
}

function Closed({ title, hint }: { title: string; hint: string }) {
  return (
    <div class="admin-empty">
      <span class="admin-empty-icon"><Icon name="lock" size={24} /></span>
      <p class="empty-title">{title}</p>
      <p class="hint">{hint}</p>
    </div>
  );
}

function moveAmongTabs(event: KeyboardEvent): void {
  const forward = i18n.direction === 'rtl' ? -1 : 1;
  const step = { ArrowRight: forward, ArrowLeft: -forward }[event.key];
  if (!step) return;
  const links = [...(event.currentTarget as HTMLElement).querySelectorAll('a')];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  if (at < 0) return;
  event.preventDefault();
  links[(at + step + links.length) % links.length]!.focus();
}
