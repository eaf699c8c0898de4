import type { Account, CallAnswer } from '@parley/client';
import { client, myId } from '@/app/client';
import { explain } from '@/app/errors';
import { i18n, t, tn } from '@/i18n/i18n';
import { Avatar } from '@/ui/avatar';
import { Dialog, FormDialog } from '@/ui/dialog';
import { Menu, type MenuEntry } from '@/ui/menu';
import { overlay, toast } from '@/ui/overlay';
import { List } from './list';
import { usePaged } from './paged';

const PAGE = 50;
type Receipt = CallAnswer<'POST /v1/admin/users/{user_id}/erase'>;

export function Users() {
  const list = usePaged(async (query, cursor) => {
    const page = await client.call('GET /v1/admin/users', { query: { limit: PAGE, ...(query && { query }), ...(cursor && { cursor }) } });
    return { items: page.users, next: page.next };
  });
  return (
    <List list={list} search={t('adminSearchUsers')} empty={t('adminNoUser')}>
      <ul class="admin-rows">
        {list.items.map((user) => <UserRow key={user.id} user={user} changed={list.again} />)}
      </ul>
    </List>
  );
}

function UserRow({ user, changed }: { user: Account; changed: () => void }) {
  const erased = !user.email;
  return (
    <li class={user.disabled ? 'is-disabled' : ''}>
      <Avatar id={user.id} name={user.username} />
      <div class="grow">
        <p class="member-line">
          <strong class="ellipsis" dir="auto">{user.username}</strong>
          {user.role !== 'user' && <span class="role">{user.role === 'admin' ? t('admin') : t('moderator')}</span>}
          {user.disabled && <span class="role is-bad">{t('adminDisabled')}</span>}
          {user.id === myId() && <span class="hint">{t('you')}</span>}
        </p>
        <p class="hint ellipsis">{erased ? t('adminErased') : user.email} · {t('adminSince', { date: i18n.date(user.created_at, 'since', { dateStyle: 'medium' }) })}</p>
      </div>
      {!erased && <Menu icon="more" label={t('actionsOn', { name: user.username })} entries={actionsOn(user, changed)} />}
    </li>
  );
}

function actionsOn(user: Account, changed: () => void): MenuEntry[] {
  const path = { user_id: user.id };
  const change = (body: { role?: Account['role']; disabled?: boolean }) => () =>
    void client.call('PATCH /v1/admin/users/{user_id}', { path, body }).then(changed, (error) => toast(explain(error)));
  const revoke = () => client.call('POST /v1/admin/users/{user_id}/sessions/revoke', { path })
    .then(() => toast(t('adminRevoked', { name: user.username })), (error) => toast(explain(error)));
  const entries: MenuEntry[] = [];
  if (user.role !== 'admin') entries.push({ icon: 'shield', label: t('makeAdmin'), run: change({ role: 'admin' }) });
  if (user.role !== 'moderator') entries.push({ icon: 'shield', label: t('makeModerator'), run: change({ role: 'moderator' }) });
  if (user.role !== 'user') entries.push({ icon: 'people', label: t('makeUser'), run: change({ role: 'user' }) });
  entries.push({ icon: 'exit', label: t('adminSignOut'), run: () => void revoke() });
  entries.push({
    icon: 'lock', label: user.disabled ? t('adminEnable') : t('adminDisable'), run: change({ disabled: !user.disabled }),
  });
  entries.push({ icon: 'trash', label: t('adminErase'), danger: true, run: () => confirmErase(user, changed) });
  return entries;
}

function confirmErase(user: Account, changed: () => void): void {
  let receipt: Receipt | null = null;
  overlay.open(
    <FormDialog
      title={t('adminEraseTitle', { name: user.username })} action={t('adminErase')} danger key="erase"
      onClose={() => {
        overlay.close();
        if (receipt) showReceipt(receipt);
      }}
      run={async () => {
        receipt = await client.call('POST /v1/admin/users/{user_id}/erase', { path: { user_id: user.id } });
        changed();
      }}
    >
      <p>{t('adminEraseText')}</p>
    </FormDialog>,
  );
}

function showReceipt({ counts, state, sha256 }: Receipt): void {
  overlay.open(
    <Dialog title={t('adminReceipt')} onClose={overlay.close} key="receipt">
      <dl class="facts">
        <dt>{t('messages')}</dt><dd>{i18n.number(counts.messages)}</dd>
        <dt>{t('rooms')}</dt><dd>{i18n.number(counts.rooms)}</dd>
        <dt>{t('adminSessions')}</dt><dd>{tn('sessions', counts.sessions)}</dd>
        <dt>{t('adminState')}</dt><dd>{state === 'done' ? t('adminDone') : t('adminRunning')}</dd>
        <dt>SHA-256</dt><dd><code>{sha256}</code></dd>
      </dl>
    </Dialog>,
  );
}
