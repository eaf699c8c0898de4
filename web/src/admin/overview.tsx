// Health and a few figures, read again every few seconds.
import { useEffect } from 'preact/hooks';
import { client } from '@/app/client';
import { explain } from '@/app/errors';
import { i18n, t, type Word } from '@/i18n/i18n';
import { useAsked } from '@/ui/hooks';
import { Icon } from '@/ui/icon';

const EVERY_MS = 5_000;

interface Figures {
  ready: boolean;
  missing: string[];
  values: Map<string, number>;
  at: number;
}

let before: Figures | null = null;

async function figures(signal: AbortSignal): Promise<Figures & { last: Figures | null }> {
  const [ready, metrics] = await Promise.all([
    fetch(`${client.url}/readyz`, { signal }), fetch(`${client.url}/metrics`, { signal }),
  ]);
  const body = await ready.json() as { missing?: string[] };
  const values = new Map<string, number>();
  for (const line of (metrics.ok ? await metrics.text() : '').split('\n')) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found) continue;
    const [, name, labels, value] = found;
    if (labels) values.set(`${name}{${labels}}`, Number(value));
    values.set(name!, (values.get(name!) ?? 0) + Number(value));
  }
  const last = before;
  before = { ready: ready.ok, missing: body.missing ?? [], values, at: Date.now() };
  return { ...before, last };
}

export function Overview() {
  const { value, error, again } = useAsked(figures, []);
  useEffect(() => {
    const timer = setInterval(again, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  if (error && !value) return <p class="notice" role="alert">{explain({ code: 'offline' })}</p>;
  if (!value) return <div class="tiles" aria-busy="true" />;
  const get = (name: string) => value.values.get(name);
  const rate = (name: string) => {
    const [now, then] = [get(name), value.last?.values.get(name)];
    if (now === undefined || then === undefined || !value.last) return undefined;
    return Math.max(0, (now - then) / Math.max(0.001, (value.at - value.last.at) / 1000));
  };
  const tile = (word: Word, figure: number | undefined, options: Intl.NumberFormatOptions = {}) => (
    <div class="tile">
      <dt>{t(word)}</dt>
      <dd>{figure === undefined ? '–' : new Intl.NumberFormat(i18n.locale, { maximumFractionDigits: 1, ...options }).format(figure)}</dd>
    </div>
  );
  return (
    <>
      <p class={`health ${value.ready ? 'is-good' : 'is-bad'}`} role="status">
        <Icon name={value.ready ? 'check' : 'alert'} />
        {value.ready ? t('adminReady') : t('adminNotReady', { missing: value.missing.join(', ') })}
      </p>
      <dl class="tiles">
        {tile('adminConnections', get('parley_connections{kind="websocket"}'))}
        {tile('adminMessageRate', rate('parley_accepted_total'))}
        {tile('adminDeliveryRate', rate('parley_deliveries_total'))}
        {tile('adminHeldCount', get('parley_held_messages'))}
        {tile('adminLimited', get('parley_rate_limited_total'))}
        {tile('adminUploads', get('parley_media_uploads_total'))}
        {tile('adminErrors', get('parley_api_errors_total'))}
        {tile('adminMemory', memory(get('process_resident_memory_bytes')), { style: 'unit', unit: 'megabyte' })}
      </dl>
      <p class="hint"><a href="/metrics" target="_blank" rel="noopener noreferrer">{t('adminAllMetrics')}</a>
        {' · '}<a href="/docs" target="_blank" rel="noopener noreferrer">{t('adminDocs')}</a></p>
    </>
  );
}

function memory(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1e6;
}
