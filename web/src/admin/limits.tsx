// The limits in force, and how often each was met.
import type { CallAnswer } from '@parley/client';
import { client } from '@/app/client';
import { bytes } from '@/i18n/dates';
import { i18n } from '@/i18n/i18n';
import { useAsked } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { Failed, Skeleton } from './list';
import { useHealth } from './metrics';
import { a, type AdminWord } from './words';

type Limit = CallAnswer<'GET /v1/admin/server'>['limits'][number];
const SCOPES = ['connection', 'user', 'address', 'account', 'room'] as const;

export function Limits() {
  const { value, error, again } = useAsked(() => client.call('GET /v1/admin/server'), []);
  const slow = useHealth()?.now?.get('parley_slow_mode_refused_total');
  if (error) return <Failed error={error} again={again} />;
  if (!value) return <Skeleton rows={6} />;
  const off = value.limits.every((limit) => limit.rate === null);
  return (
    <>
      <p class="hint admin-lead">{a('limitsHint')}</p>
      {off && <div class="admin-note is-warn"><Icon name="alert" /><p>{a('limitsOff')}</p></div>}
      <section class="admin-section">
        <table class="admin-table limits">
          <thead>
            <tr>
              <th scope="col">{a('limit')}</th><th scope="col">{a('steady')}</th>
              <th scope="col">{a('atOnce')}</th><th scope="col">{a('refused')}</th>
            </tr>
          </thead>
          {SCOPES.map((scope) => (
            <tbody key={scope}>
              <tr class="group"><th scope="rowgroup" colSpan={4}>{a(`of_${scope}`)}</th></tr>
              {value.limits.filter(({ name }) => name.endsWith(`-per-${scope}`)).map((limit) => (
                <Row key={limit.name} limit={limit} what={limit.name.slice(0, -`-per-${scope}`.length)} />
              ))}
            </tbody>
          ))}
        </table>
        {slow !== undefined && <p class="admin-line">{a('slowModeHits')}: <strong>{i18n.number(slow)}</strong></p>}
        <p class="hint">{a('processOnly')}</p>
      </section>
    </>
  );
}

function Row({ limit: { name, rate, burst, refused }, what }: { limit: Limit; what: string }) {
  const word = `what_${what.replaceAll('-', '_')}` as AdminWord;
  const amount = (n: number) => (what === 'bytes' ? bytes(n) : i18n.number(n));
  return (
    <tr>
      <th scope="row" title={`limit-${name}`}>{a(word)}</th>
      <td>{rate === null ? a('noLimit') : steady(rate, amount)}</td>
      <td>{burst === null ? '–' : amount(burst)}</td>
      <td class={refused ? 'is-hit' : 'is-quiet'}>{refused ? i18n.number(refused) : a('neverHit')}</td>
    </tr>
  );
}

/** In the smallest unit of time of which it is a whole number. */
function steady(rate: number, amount: (n: number) => string): string {
  const units: [AdminWord, number][] = [['perSecond', 1], ['perMinute', 60], ['perHour', 3600]];
  const whole = (n: number) => Math.abs(n - Math.round(n)) < 1e-6;
  const [word, length] = units.find(([, each]) => whole(rate * each)) ?? units[2]!;
  return a(word, { n: amount(Math.round(rate * length * 100) / 100) });
}
