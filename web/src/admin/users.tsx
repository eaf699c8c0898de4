// Accounts: found, given a role, signed out, disabled, erased.
import type { Account } from '@parley/client';
import { createRef } from 'preact';
import { copy } from '@/account/settings';
import { client, myId } from '@/app/client';
import { i18n, t } from '@/i18n/i18n';
import { Avatar } from '@/ui/avatar';
import { Button } from '@/ui/button';
import { Field, FormDialog } from '@/ui/dialog';
import { Menu, type MenuEntry } from '@/ui/menu';
import { overlay, toast } from '@/ui/overlay';
import { List } from './list';
import { pageOf, usePaged } from './paged';
import { openReceipt, receiptOf } from './receipt';
import { a, explainHere, told, Told, type AdminWord } from './words';

const PAGE = 50;
const ROLES = ['user', 'moderator', 'admin'] as const;
const ROLE_WORDS = { user: 'roleUser', moderator: 'roleModerator', admin: 'roleAdmin' } satisfies Record<Account['role'], AdminWord>;
const ROLE_HINTS = { user: 'roleUserHint', moderator: 'roleModeratorHint', admin: 'roleAdminHint' } satisfies Record<Account['role'], AdminWord>;

type Changed = (user: Account) => void;

export function Users() {
  const list = usePaged(async (query, cursor) => {
    const page = await client.call('GET /v1/admin/users', { query: pageOf(PAGE, query, cursor) });
    return { items: page.users, next: page.next };
  });
  return (
    <List list={list} search={[a('searchUsers'), a('searchUsersHint')]}
      empty={{ icon: 'people', title: a('noUserFits'), hint: a('noUserFitsHint') }}>
      <ul class="admin-rows">
        {list.items.map((user) => <UserRow key={user.id} user={user} changed={(now) => list.replace(user.id, now)} />)}
      </ul>
    </List>
  );
}

function UserRow({ user, changed }: { user: Account; changed: Changed }) {
  const erased = !user.email;
  const date = i18n.date(user.created_at, 'since', { dateStyle: 'medium' });
  return (
    <li class={user.disabled ? 'is-disabled' : ''} data-id={user.id}>
      <Avatar id={user.id} name={user.display_name || user.username} picture={user.avatar_media_id} />
      <div class="grow">
        <p class="admin-line">
          <strong class="ellipsis" dir="auto">{user.username}</strong>
          {user.display_name && <span class="hint ellipsis" dir="auto">{user.display_name}</span>}
          {user.role !== 'user' && <span class="role">{a(ROLE_WORDS[user.role])}</span>}
          {erased ? <span class="role is-bad">{a('erased')}</span> : user.disabled && <span class="role is-bad">{a('disabled')}</span>}
          {user.id === myId() && <span class="role is-plain">{t('you')}</span>}
        </p>
        <p class="hint ellipsis">{user.email && <><bdi>{user.email}</bdi> · </>}{a('since', { date })}</p>
      </div>
      <Menu icon="more" label={t('actionsOn', { name: user.username })} entries={erased ? forErased(user) : actionsOn(user, changed)} />
    </li>
  );
}

function forErased(user: Account): MenuEntry[] {
  const show = () => void receiptOf(user.id).then(openReceipt, (error) => toast(explainHere(error)));
  return [{ icon: 'file', label: a('receipt'), run: show }, copyId(user)];
}

function copyId(user: Account): MenuEntry {
  return { icon: 'copy', label: a('copyId'), run: () => void copy(user.id, a('idCopied')) };
}

function actionsOn(user: Account, changed: Changed): MenuEntry[] {
  const self = user.id === myId();
  const entries: MenuEntry[] = [
    { icon: 'shield', label: a('changeRole'), run: () => openRole(user, changed) },
    { icon: 'lock', label: a('resetPassword'), run: () => openResetPassword(user) },
    copyId(user),
    { icon: 'exit', label: a('signOut'), run: () => confirmSignOut(user) },
  ];
  if (self) return entries;
  entries.push(user.disabled
    ? { icon: 'check', label: a('enable'), run: () => void enable(user, changed) }
    : { icon: 'close', label: a('disable'), danger: true, run: () => confirmDisable(user, changed) });
  entries.push({ icon: 'trash', label: a('erase'), danger: true, run: () => confirmErase(user, changed) });
  return entries;
}

function patch(user: Account, body: { role?: Account['role']; disabled?: boolean }): Promise<Account> {
  return client.call('PATCH /v1/admin/users/{user_id}', { path: { user_id: user.id }, body });
}

function openRole(user: Account, changed: Changed): void {
  overlay.open(
    <FormDialog
      title={a('changeRoleTitle', { name: user.username })} action={t('save')} onClose={overlay.close} key="role"
      run={async (form) => {
        const role = new FormData(form).get('role') as Account['role'];
        if (role === user.role) return;
        changed(await told(patch(user, { role })));
        toast(a('roleChanged', { name: user.username, role: a(ROLE_WORDS[role]) }));
        if (user.id === myId()) await client.me();
      }}
    >
      {user.id === myId() && <p class="notice">{a('ownRole')}</p>}
      <fieldset class="choices">
        <legend class="visually-hidden">{a('changeRole')}</legend>
        {ROLES.map((role) => (
          <label key={role} class="choice">
            <input type="radio" name="role" value={role} defaultChecked={role === user.role} data-focus={role === user.role || undefined} />
            <span><strong>{a(ROLE_WORDS[role])}</strong><span class="hint">{a(ROLE_HINTS[role])}</span></span>
          </label>
        ))}
      </fieldset>
    </FormDialog>,
  );
}

const SIGNS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** 80 bits, without signs that look like others. */
function newPassword(): string {
  const signs = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => SIGNS[byte % SIGNS.length]!).join('');
  return signs.replace(/.{4}(?=.)/g, '$&-');
}

function openResetPassword(user: Account): void {
  const input = createRef<HTMLInputElement>();
  overlay.open(
    <FormDialog
      title={a('resetPasswordTitle', { name: user.username })} action={a('setPassword')} onClose={overlay.close} key="reset-password"
      run={async () => {
        const body = { password: input.current!.value };
        await told(client.call('POST /v1/admin/users/{user_id}/password', { path: { user_id: user.id }, body }));
        toast(a('passwordSet', { name: user.username }));
      }}
    >
      <p>{a('resetPasswordText')}</p>
      <Field name="new-password" label={a('resetPassword')} hint={t('passwordHint')}>
        <div class="input-line">
          <input ref={input} id="field-new-password" class="input" required minLength={8} maxLength={128} defaultValue={newPassword()}
            autocomplete="off" autocapitalize="none" spellcheck={false} dir="ltr" aria-describedby="hint-new-password" data-focus />
          <Button onClick={() => void copy(input.current!.value, t('copied'))}>{a('copyPassword')}</Button>
        </div>
      </Field>
    </FormDialog>,
  );
}

function confirmSignOut(user: Account): void {
  overlay.open(
    <FormDialog
      title={a('signOutTitle', { name: user.username })} action={a('signOut')} danger onClose={overlay.close} key="sign-out"
      run={async () => {
        await told(client.call('POST /v1/admin/users/{user_id}/sessions/revoke', { path: { user_id: user.id } }));
        toast(a('signedOut', { name: user.username }));
      }}
    >
      <p>{a('signOutText')}</p>
    </FormDialog>,
  );
}

function confirmDisable(user: Account, changed: Changed): void {
  overlay.open(
    <FormDialog
      title={a('disableTitle', { name: user.username })} action={a('disable')} danger onClose={overlay.close} key="disable"
      run={async () => {
        changed(await told(patch(user, { disabled: true })));
        toast(a('disabledDone', { name: user.username }));
      }}
    >
      <p>{a('disableText')}</p>
    </FormDialog>,
  );
}

async function enable(user: Account, changed: Changed): Promise<void> {
  try {
    changed(await patch(user, { disabled: false }));
    toast(a('enabledDone', { name: user.username }));
  } catch (thrown) {
    toast(explainHere(thrown));
  }
}

function confirmErase(user: Account, changed: Changed): void {
  overlay.open(
    <FormDialog
      title={a('eraseTitle', { name: user.username })} action={a('erase')} danger onClose={overlay.close} key="erase"
      run={async (form) => {
        if (String(new FormData(form).get('confirm')).trim() !== user.username) throw new Told(a('eraseMismatch'));
        const path = { user_id: user.id };
        const receipt = await told(client.call('POST /v1/admin/users/{user_id}/erase', { path }));
        changed({ ...user, disabled: true });
        // After this dialog has closed itself.
        setTimeout(() => openReceipt(receipt, () => {
          void client.call('GET /v1/admin/users/{user_id}', { path }).then(changed, () => {});
        }));
      }}
    >
      <p>{a('eraseText')}</p>
      <Field name="confirm" label={a('eraseType', { name: user.username })}>
        <input id="field-confirm" name="confirm" class="input" required autocomplete="off" autocapitalize="none" spellcheck={false} dir="auto" data-focus />
      </Field>
    </FormDialog>,
  );
}
