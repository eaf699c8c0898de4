// My profile, how the page looks, notifications, and this session.
import type { UserChange } from '@parley/client';
import { useState } from 'preact/hooks';
import { client } from '@/app/client';
import { openKeys } from '@/app/keys';
import { setTheme, theme, type Theme } from '@/app/theme';
import { i18n, t } from '@/i18n/i18n';
import { askForNotifications, notifications, setNotifications } from '@/messages/notifications';
import { install, installer } from '@/offline/updates';
import { Button } from '@/ui/button';
import { Field, FormDialog } from '@/ui/dialog';
import { useEvent, useRedraw } from '@/ui/hooks';
import { overlay, toast } from '@/ui/overlay';
import { LanguageChoice } from './auth';
import { confirmLogOut } from './log_out';
import { MyPicture } from './my_picture';
import { openChangePassword } from './password';
import { Sessions } from './sessions';

export function openSettings(): void {
  overlay.open(<Settings key={`settings-${i18n.language}`} />);
}

export async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast(text); // no clipboard on a page without https: it can at least be read
  }
}

function Settings() {
  useEvent(installer, 'change');
  useEvent(i18n, 'change');
  useEvent(client, 'user');
  const { user } = client;
  if (!user) return null; // signed out elsewhere: the dialog is about to go
  const save = async (form: HTMLFormElement) => {
    const value = (name: string) => String(new FormData(form).get(name) ?? '').trim();
    const change: UserChange = {};
    if (value('display_name') !== (user.display_name ?? '')) change.display_name = value('display_name') || null;
    if (value('username') !== user.username) change.username = value('username');
    if (Object.keys(change).length) await client.updateMe(change);
  };
  return (
    <FormDialog title={t('settings')} action={t('save')} class="settings" onClose={overlay.close} run={save}>
      <MyPicture user={user}>
        <p class="ellipsis"><strong dir="auto">{user.display_name || user.username}</strong></p>
        <p class="hint ellipsis">{user.email}</p>
        <button type="button" class="link hint" title={user.id} onClick={() => void copy(user.id, t('userIdCopied'))}>
          {t('copyUserId')}
        </button>
      </MyPicture>
      <Field name="display_name" label={t('displayName')} hint={t('displayNameHint')}>
        <input id="field-display_name" name="display_name" class="input" maxLength={50} defaultValue={user.display_name ?? ''} dir="auto" />
      </Field>
      <Field name="username" label={t('name')} hint={t('nameHint')}>
        <input id="field-username" name="username" class="input" required minLength={3} maxLength={20}
          defaultValue={user.username} autocapitalize="none" spellcheck={false} />
      </Field>
      <div class="pair">
        <Field name="language" label={t('language')}><LanguageChoice id="field-language" /></Field>
        <Field name="theme" label={t('theme')}>
          <select id="field-theme" class="select" value={theme()} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
            <option value="system">{t('themeSystem')}</option>
            <option value="light">{t('themeLight')}</option>
            <option value="dark">{t('themeDark')}</option>
          </select>
        </Field>
      </div>
      <NotificationChoice />
      <Sessions />
      <section class="settings-more">
        <Button class="small" onClick={openChangePassword}>{t('changePassword')}</Button>
        <Button class="small" onClick={openKeys}>{t('keys')}</Button>
        {installer.available && <Button class="small" onClick={() => void install()}>{t('install')}</Button>}
        <Button class="small" onClick={confirmLogOut}>{t('logOut')}</Button>
      </section>
    </FormDialog>
  );
}

function NotificationChoice() {
  const redraw = useRedraw();
  const [refused, setRefused] = useState(false);
  const change = async (on: boolean) => {
    if (on) setRefused(!(await askForNotifications()));
    else setNotifications(false);
    redraw();
  };
  return (
    <label class="switch">
      <span class="grow">
        <strong>{t('notifications')}</strong>
        <span class="hint">{refused ? t('notificationsRefused') : t('notificationsHint')}</span>
      </span>
      <input type="checkbox" role="switch" checked={notifications()} onChange={(event) => void change(event.currentTarget.checked)} />
    </label>
  );
}
