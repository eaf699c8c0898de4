// Where I am logged in, and how to end it there.
import type { Session } from '@parley/client';
import { useState } from 'preact/hooks';
import { client } from '@/app/client';
import { codeOf, explain } from '@/app/errors';
import { fullDate, shortTime } from '@/i18n/dates';
import { t } from '@/i18n/i18n';
import { Button } from '@/ui/button';
import { useAsked } from '@/ui/hooks';
import { toast } from '@/ui/overlay';
import { deviceName } from './devices';

const SHOWN_MAX = 100;

export function Sessions() {
  const { value, error, again } = useAsked(async () => (await client.sessions({ limit: SHOWN_MAX })).sessions, []);
  const [ended, setEnded] = useState<readonly string[]>([]);
  const sessions = (value ?? []).filter(({ id }) => !ended.includes(id)).sort((a, b) => Number(b.current) - Number(a.current));
  const end = async ({ id, user_agent }: Session) => {
    await client.endSession(id).catch((thrown) => {
      if (codeOf(thrown) !== 'unknown_session') throw thrown; // it has ended already
    });
    setEnded((before) => [...before, id]);
    toast(t('sessionEndedOn', { device: deviceName(user_agent) }));
  };
  const endOthers = async () => {
    await client.endOtherSessions();
    again();
    toast(t('otherSessionsEnded'));
  };
  return (
    <section class="sessions" aria-labelledby="sessions-title">
      <h3 id="sessions-title">{t('sessionsTitle')}</h3>
      {Boolean(error) && (
        <p class="notice" role="alert">{explain(error)}{' '}
          <button type="button" class="link" onClick={again}>{t('tryAgain')}</button></p>
      )}
      {!value && !error && <p class="hint">{t('loading')}</p>}
      <ul class="session-list">
        {sessions.map((session) => <SessionRow key={session.id} session={session} end={() => end(session)} />)}
      </ul>
      {sessions.length > 2 && <EndButton label={t('endOtherSessions')} run={endOthers} />}
    </section>
  );
}

function SessionRow({ session, end }: { session: Session; end: () => Promise<void> }) {
  const device = deviceName(session.user_agent);
  const used = <time dateTime={session.last_used_at} title={fullDate(session.last_used_at)}>
    {t('lastUsed', { time: shortTime(session.last_used_at) })}</time>;
  return (
    <li class="session">
      <div class="grow session-text">
        <p class="ellipsis"><strong dir="auto" title={session.user_agent}>{device}</strong>{' '}
          {session.current && <span class="role">{t('thisDevice')}</span>}</p>
        <p class="hint ellipsis">{used}{session.address && <> · <bdi>{session.address}</bdi></>}</p>
      </div>
      {!session.current && <EndButton label={t('endSession')} name={t('endSessionOn', { device })} run={end} />}
    </li>
  );
}

function EndButton({ label, name, run }: { label: string; name?: string; run: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const act = () => {
    setBusy(true);
    run().catch((thrown) => toast(explain(thrown))).finally(() => setBusy(false));
  };
  return <Button class="small" aria-label={name} disabled={busy} onClick={act}>{label}</Button>;
}
