import { client } from '@/app/client';
import { session } from '@/app/session';
import { t, tn } from '@/i18n/i18n';
import { FormDialog } from '@/ui/dialog';
import { overlay } from '@/ui/overlay';

export function confirmLogOut(): void {
  const waiting = client.pendingCount;
  overlay.open(
    <FormDialog
      title={t('logOutTitle')} action={t('logOut')} danger={waiting > 0} onClose={overlay.close} key="log-out"
      run={() => session.logOut()}
    >
      <p>{waiting ? tn('logOutWaiting', waiting) : t('logOutText')}</p>
    </FormDialog>,
  );
}
