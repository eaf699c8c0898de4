// For those who run the server: users, rooms, what waits for a moderator, the filter, and how the server is.
import './admin.css';
import { client } from '@/app/client';
import { toHome } from '@/app/route';
import { t, type Word } from '@/i18n/i18n';
import { IconButton } from '@/ui/button';
import { Empty } from '@/ui/overlay';
import { Filter } from './filter';
import { Held } from './held';
import { Overview } from './overview';
import { RoomTable } from './room_table';
import { Users } from './users';

const TABS = {
  overview: { word: 'adminOverview', Page: Overview, admin: false },
  held: { word: 'adminHeld', Page: Held, admin: false },
  users: { word: 'adminUsers', Page: Users, admin: true },
  rooms: { word: 'adminRooms', Page: RoomTable, admin: false },
  filter: { word: 'adminFilter', Page: Filter, admin: true },
} satisfies Record<string, { word: Word; Page: () => preact.VNode; admin: boolean }>;

export function Admin({ tab }: { tab: string }) {
  const role = client.user?.role ?? 'user';
  const tabs = Object.entries(TABS).filter(([, { admin }]) => !admin || role === 'admin');
  const [name, { Page }] = tabs.find(([each]) => each === tab) ?? tabs[0]!;
  return (
    <main class="chat admin" id="main" tabIndex={-1}>
      <header class="panel-head chat-head">
        <IconButton icon="back" label={t('backToRooms')} class="back" onClick={() => toHome()} />
        <div class="grow chat-title"><h2>{t('administration')}</h2></div>
      </header>
      {role === 'user' ? <Empty title={t('adminOnly')} /> : (
        <>
          <nav class="admin-tabs" aria-label={t('administration')}>
            {tabs.map(([id, { word }]) => (
              <a key={id} href={`#/admin/${id}`} aria-current={id === name ? 'page' : undefined}>{t(word)}</a>
            ))}
          </nav>
          <div class="admin-body"><Page key={name} /></div>
        </>
      )}
    </main>
  );
}
