// A new password for oneself.
import { client } from '@/app/client';
import { codeOf } from '@/app/errors';
import { t } from '@/i18n/i18n';
import { Field, FormDialog } from '@/ui/dialog';
import { overlay, toast } from '@/ui/overlay';

export function openChangePassword(): void {
  overlay.open(<ChangePassword key="change-password" />);
}

function ChangePassword() {
  const save = async (form: HTMLFormElement) => {
    const value = (name: string) => String(new FormData(form).get(name) ?? '');
    await client.changePassword(value('current-password'), value('new-password')).catch((thrown) => {
      throw codeOf(thrown) === 'forbidden' ? { code: 'wrong_password' } : thrown;
    });
    toast(t('passwordChanged'));
  };
  const both = { type: 'password', class: 'input', required: true, maxLength: 128 };
  return (
    <FormDialog title={t('changePassword')} action={t('save')} onClose={overlay.close} run={save}>
      {/* Password managers fill in by it. */}
      <input type="text" autocomplete="username" value={client.user?.email} hidden readOnly tabIndex={-1} />
      <Field name="current-password" label={t('currentPassword')}>
        <input {...both} id="field-current-password" name="current-password" autocomplete="current-password" data-focus />
      </Field>
      <Field name="new-password" label={t('newPassword')} hint={t('passwordHint')}>
        <input {...both} id="field-new-password" name="new-password" autocomplete="new-password" minLength={8}
          aria-describedby="hint-new-password" />
      </Field>
      <p class="hint">{t('changePasswordText')}</p>
    </FormDialog>
  );
}
