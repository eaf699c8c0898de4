import { i18n, t } from './i18n';

const DAY_MS = 86_400_000;

/** The calendar day here, as a number that grows by one a day. */
export function dayOf(time: string | number): number {
  const date = new Date(time);
  return Math.floor((date.getTime() - date.getTimezoneOffset() * 60_000) / DAY_MS);
}

export function clock(time: string): string {
  return i18n.date(time, 'clock', { hour: '2-digit', minute: '2-digit' });
}

export function fullDate(time: string): string {
  return i18n.date(time, 'full', { dateStyle: 'full', timeStyle: 'short' });
}

export function dayText(time: string): string {
  const ago = dayOf(Date.now()) - dayOf(time);
  if (ago === 0) return t('today');
  if (ago === 1) return t('yesterday');
  const year = new Date(time).getFullYear() === new Date().getFullYear();
  return year ? i18n.date(time, 'day', { weekday: 'long', day: 'numeric', month: 'long' })
    : i18n.date(time, 'dayOfYear', { day: 'numeric', month: 'long', year: 'numeric' });
}

/** For lists: the time today, else the day. */
export function shortTime(time: string): string {
  const ago = dayOf(Date.now()) - dayOf(time);
  if (ago <= 0) return clock(time);
  if (ago === 1) return t('yesterday');
  if (ago < 7) return i18n.date(time, 'weekday', { weekday: 'short' });
  return i18n.date(time, 'short', { day: 'numeric', month: 'short' });
}

export function bytes(size: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let at = 0;
  while (size >= 1000 && at < 3) {
    size /= 1000;
    at++;
  }
  return new Intl.NumberFormat(i18n.locale, {
    style: 'unit', unit: units[at]!, unitDisplay: at ? 'short' : 'long', maximumFractionDigits: at > 1 ? 1 : 0,
  }).format(size);
}
