// The word lists in force, and what they found.
import { useState } from 'preact/hooks';
import { client } from '@/app/client';
import { codeOf } from '@/app/errors';
import { i18n } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { useAsked } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { toast } from '@/ui/overlay';
import { Failed, Nothing, Skeleton } from './list';
import { useHealth } from './metrics';
import { Tile } from './tile';
import { a, an, explainHere } from './words';

export function WordLists() {
  const now = useHealth()?.now ?? undefined;
  const found = (action: string) => now?.get('parley_filter_matches_total', `action="${action}"`);
  return (
    <>
      {client.user?.role === 'admin' ? <Lists /> : (
        <div class="admin-note"><Icon name="lock" /><p>{a('listsAdmin')}</p></div>
      )}
      <section class="admin-section">
        <h3 class="admin-heading">{a('found')}</h3>
        <dl class="tiles">
          <Tile label={a('foundMask')} hint={a('sinceStart')} value={found('mask')} />
          <Tile label={a('foundReject')} hint={a('sinceStart')} value={found('reject')} />
          <Tile label={a('foundHold')} hint={a('sinceStart')} value={found('hold')} href="#/admin/held" />
        </dl>
      </section>
    </>
  );
}

function Lists() {
  const { value, error, again } = useAsked(() => client.call('GET /v1/admin/filter'), []);
  const [busy, setBusy] = useState(false);
  const [bad, setBad] = useState('');
  const reload = async () => {
    setBusy(true);
    setBad('');
    try {
      await client.call('POST /v1/admin/filter/reload');
      toast(a('reloaded'));
      again();
    } catch (thrown) {
      // The server names file and line.
      const { detail = '' } = thrown as { detail?: string };
      setBad(codeOf(thrown) === 'invalid_field' ? a('badList', { why: detail }) : explainHere(thrown));
    }
    setBusy(false);
  };
  const date = value && i18n.date(value.loaded_at, 'loaded', { dateStyle: 'medium', timeStyle: 'short' });
  return (
    <section class="admin-section" aria-busy={!value && !error}>
      <header class="admin-bar">
        <div class="grow">
          <h3 class="admin-heading">{a('serverLists')}</h3>
          <p class="hint">{a('serverListsHint')} {date && a('loadedAt', { date })}</p>
        </div>
        <Button disabled={busy} onClick={() => void reload()}>{a('reload')}</Button>
      </header>
      {bad && <p class="notice" role="alert">{bad}</p>}
      {Boolean(error) && <Failed error={error} again={again} />}
      {!value && !error && <Skeleton rows={2} />}
      {value && (value.languages.length ? (
        <table class="admin-table">
          <thead><tr><th scope="col">{a('language')}</th><th scope="col">{a('wordCount')}</th></tr></thead>
          <tbody>
            {value.languages.map(({ language, words }) => (
              <tr key={language}><th scope="row">{nameOf(language)}</th><td>{i18n.number(words)}</td></tr>
            ))}
          </tbody>
          <tfoot><tr><th scope="row">{a('allLists')}</th><td>{i18n.number(value.words)}</td></tr></tfoot>
        </table>
      ) : <Nothing icon="edit" title={a('noLists')} hint={a('noListsHint')} />)}
      {value && <p class="hint">{an('roomsWithWords', value.rooms_with_words)}</p>}
    </section>
  );
}

/** A list is called by its language's code, as a rule. */
function nameOf(language: string): string {
  try {
    const name = new Intl.DisplayNames(i18n.locale, { type: 'language', fallback: 'none' }).of(language);
    return name ? `${name} (${language})` : language;
  } catch {
    return language;
  }
}
