import { useState } from 'preact/hooks';
import { client } from '@/app/client';
import { explain } from '@/app/errors';
import { i18n, t, tn } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { useAsked } from '@/ui/hooks';
import { toast } from '@/ui/overlay';

/** The word lists in force. */
export function Filter() {
  const { value, error, again } = useAsked(() => client.call('GET /v1/admin/filter'), []);
  const [busy, setBusy] = useState(false);
  const reload = async () => {
    setBusy(true);
    try {
      await client.call('POST /v1/admin/filter/reload');
      toast(t('adminFilterReloaded'));
      again();
    } catch (thrown) {
      toast(explain(thrown));
    }
    setBusy(false);
  };
  if (error) return <p class="notice" role="alert">{explain(error)}</p>;
  if (!value) return <div aria-busy="true" />;
  return (
    <section class="admin-list">
      <dl class="facts">
        <dt>{t('adminWords')}</dt><dd>{i18n.number(value.words)}</dd>
        <dt>{t('adminLanguages')}</dt>
        <dd>{value.languages.map(({ language, words }) => `${language}: ${i18n.number(words)}`).join(' · ') || '–'}</dd>
        <dt>{t('adminRoomsWithWords')}</dt><dd>{tn('rooms', value.rooms_with_words)}</dd>
        <dt>{t('adminLoadedAt')}</dt><dd>{i18n.date(value.loaded_at, 'loaded', { dateStyle: 'medium', timeStyle: 'short' })}</dd>
      </dl>
      <div><Button disabled={busy} onClick={() => void reload()}>{t('adminFilterReload')}</Button></div>
    </section>
  );
}
