// Health and figures at a glance.
import { client } from '@/app/client';
import { i18n } from '@/i18n/i18n';
import { useAsked } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { heldCount } from './held_count';
import { ratesOf, useHealth, valuesOf, type Health, type Sample } from './metrics';
import { figure, Tile } from './tile';
import { a, type AdminWord } from './words';

export function Overview() {
  const health = useHealth();
  const server = useAsked(() => client.call('GET /v1/admin/server'), []);
  const refused = server.value?.limits.reduce((sum, limit) => sum + limit.refused, 0);
  const now = health?.now ?? undefined;
  const rate = (name: string) => (now ? ratesOf(name).at(-1) : undefined);
  return (
    <>
      <Status health={health} version={server.value?.version} />
      <section class="admin-section">
        <h3 class="admin-heading">{a('now')}</h3>
        <dl class="tiles">
          <Tile label={a('connections')} hint={a('connectionsHint')} value={now?.get('parley_connections', 'kind="websocket"')}
            series={valuesOf('parley_connections', 'kind="websocket"')} />
          <Tile label={a('peopleOnline')} hint={a('peopleOnlineHint')} value={now?.get('parley_users_online')}
            series={valuesOf('parley_users_online')} />
          <Tile label={a('messageRate')} hint={a('messageRateHint')} value={rate('parley_events_total')}
            series={ratesOf('parley_events_total')} />
          <Tile label={a('deliveryRate')} hint={a('deliveryRateHint')} value={rate('parley_deliveries_total')}
            series={ratesOf('parley_deliveries_total')} />
          <Tile label={a('heldNow')} hint={a('heldNowHint')} href="#/admin/held" tone={heldCount.value ? 'warn' : undefined}
            value={now?.get('parley_held_messages') ?? heldCount.value} />
          <Tile label={a('limitHits')} hint={a('sinceStart')} href="#/admin/limits"
            value={now?.get('parley_rate_limited_total') ?? refused} />
        </dl>
      </section>
      {health && !health.now && health.alive && (
        <div class="admin-note">
          <Icon name="alert" />
          <p><strong>{a('noMetrics')}</strong><span class="hint">{a('noMetricsHint')}</span></p>
        </div>
      )}
      {(now || !health) && (
        <div class="admin-columns">
          <Queues now={now} />
          <Checks now={now} />
        </div>
      )}
      <p class="admin-links">
        {now && <a href="/metrics" target="_blank" rel="noopener noreferrer">{a('allMetrics')}</a>}
        <a href="/docs" target="_blank" rel="noopener noreferrer">{a('apiDocs')}</a>
      </p>
    </>
  );
}

function statusOf(health: Health): { tone: string; title: string; hint: string } {
  if (!health.alive && !health.missing && !health.now) return { tone: 'bad', title: a('serverSilent'), hint: a('serverSilentHint') };
  if (!health.missing) return { tone: 'unknown', title: a('serverUnknown'), hint: a('serverUnknownHint') };
  if (!health.missing.length) return { tone: 'good', title: a('serverReady'), hint: a('serverReadyHint') };
  return { tone: 'bad', title: a('serverNotReady'), hint: a('serverNotReadyHint', { missing: health.missing.join(', ') }) };
}

function Status({ health, version }: { health: Health | undefined; version: string | undefined }) {
  const { tone, title, hint } = health ? statusOf(health) : { tone: 'unknown', title: '…', hint: ' ' };
  return (
    <section class={`status is-${tone}`}>
      <span class="status-icon"><Icon name={tone === 'good' ? 'check' : tone === 'bad' ? 'alert' : 'clock'} size={22} /></span>
      <div class="grow" role="status">
        <p class="status-title">{title}</p>
        <p class="hint">{hint}</p>
      </div>
      <dl class="status-facts">
        <div><dt>{a('alive')}</dt><dd>{health ? (health.alive ? a('aliveYes') : a('aliveNo')) : '…'}</dd></div>
        <div><dt>{a('version')}</dt><dd>{version ?? '…'}</dd></div>
      </dl>
    </section>
  );
}

type Series = [name: string, labels?: string];
const QUEUES: { word: AdminWord; waiting: Series; refused?: Series }[] = [
  { word: 'queueLog', waiting: ['parley_log_queue'], refused: ['parley_log_rejected_total'] },
  ...(['reader', 'hasher', 'disk', 'filter'] as const).map((pool) => ({
    word: { reader: 'queueReader', hasher: 'queueHasher', disk: 'queueDisk', filter: 'queueFilter' }[pool] as AdminWord,
    waiting: ['parley_pool_queue', `pool="${pool}"`] as Series,
    refused: ['parley_pool_rejected_total', `pool="${pool}"`] as Series,
  })),
  { word: 'queueReceipts', waiting: ['parley_receipts_waiting'], refused: ['parley_receipts_dropped_total'] },
];

function Queues({ now }: { now: Sample | undefined }) {
  return (
    <section class="admin-section">
      <h3 class="admin-heading">{a('queues')}</h3>
      <table class="admin-table">
        <thead><tr><th scope="col">{a('queue')}</th><th scope="col">{a('waiting')}</th><th scope="col">{a('refusedFull')}</th></tr></thead>
        <tbody>
          {QUEUES.map(({ word, waiting, refused }) => {
            const lost = refused && now?.get(...refused);
            return (
              <tr key={word}>
                <th scope="row">{a(word)}</th>
                <td>{figure(now?.get(...waiting))}</td>
                <td class={lost ? 'is-hit' : ''}>{figure(lost)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <CommitTime now={now} />
    </section>
  );
}

function CommitTime({ now }: { now: Sample | undefined }) {
  const [sum, count] = [now?.get('parley_commit_seconds_sum'), now?.get('parley_commit_seconds_count')];
  if (!sum || !count) return <p class="hint"> </p>;
  const time = new Intl.NumberFormat(i18n.locale, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 1 }).format((sum / count) * 1000);
  return <p class="hint">{a('commitTime', { time })}</p>;
}

const CHECKS: { word: AdminWord; todo: AdminWord; of: Series }[] = [
  { word: 'checkCommit', todo: 'checkCommitDo', of: ['parley_commit_failures_total'] },
  { word: 'checkErrors', todo: 'checkErrorsDo', of: ['parley_http_requests_total', 'class="5xx"'] },
  { word: 'checkSlow', todo: 'checkSlowDo', of: ['parley_ws_closed_total', 'code="4001"'] },
  { word: 'checkRefused', todo: 'checkRefusedDo', of: ['parley_refused_total'] },
  { word: 'checkFilter', todo: 'checkFilterDo', of: ['parley_filter_reload_failures_total'] },
  { word: 'checkMedia', todo: 'checkMediaDo', of: ['parley_media_sweep_failures_total'] },
];

function Checks({ now }: { now: Sample | undefined }) {
  return (
    <section class="admin-section">
      <h3 class="admin-heading">{a('checks')}</h3>
      <ul class="checks">
        {CHECKS.map(({ word, todo, of }) => {
          const value = now?.get(...of);
          return (
            <li key={word} class={value ? 'is-hit' : ''}>
              <Icon name={value ? 'alert' : 'check'} size={18} />
              <span class="grow">{a(word)}{value ? <span class="hint">{a(todo)}</span> : null}</span>
              <span class="visually-hidden">{value ? a('look') : a('fine')}</span>
              <strong>{figure(value)}</strong>
            </li>
          );
        })}
      </ul>
      <p class="hint">{a('checksHint')}</p>
    </section>
  );
}
