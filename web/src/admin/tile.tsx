import type { ComponentChildren } from 'preact';
import { i18n } from '@/i18n/i18n';

interface TileProps {
  label: string;
  /** undefined: not known (yet). */
  value: number | undefined;
  hint?: string;
  /** What it was, the newest last. */
  series?: number[];
  tone?: 'warn' | undefined;
  href?: string;
  children?: ComponentChildren;
}

export function figure(value: number | undefined): string {
  if (value === undefined) return '–';
  const small = value < 100 && !Number.isInteger(value);
  return new Intl.NumberFormat(i18n.locale, small ? { minimumFractionDigits: 1, maximumFractionDigits: 1 } : { maximumFractionDigits: 0 })
    .format(value);
}

export function Tile({ label, value, hint, series, tone, href }: TileProps) {
  return (
    <div class={`tile ${tone ? `is-${tone}` : ''}`}>
      <dt>{href ? <a href={href}>{label}</a> : label}</dt>
      <dd>
        <span class="tile-figure">{figure(value)}</span>
        {hint && <span class="hint">{hint}</span>}
        {series && <Line values={series} />}
      </dd>
    </div>
  );
}

/** So many points fill the width; fewer begin at the right. */
const POINTS_MIN = 12;
const POINTS = 60;
const HEIGHT = 28;

function Line({ values }: { values: number[] }) {
  const top = Math.max(1, ...values);
  const shown = values.slice(-POINTS);
  const width = Math.max(POINTS_MIN, shown.length);
  const points = shown.map((value, i) => {
    const x = ((width - shown.length + i) / (width - 1)) * 100;
    return `${x.toFixed(2)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(2)}`;
  });
  return (
    <svg class="tile-line" viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.length > 1 ? points.join(' ') : `0,${HEIGHT - 2} 100,${HEIGHT - 2}`} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
