// What went wrong, in words that say what to do.
import { ParleyError } from '@parley/client';
import { t, type Word } from '@/i18n/i18n';
import { en } from '@/i18n/en';

export function explain(thrown: unknown): string {
  const code = thrown instanceof ParleyError || isCoded(thrown) ? thrown.code : 'internal';
  const word = `error_${code}`;
  if (word in en) return t(word as Word);
  return (thrown as { detail?: string }).detail ?? t('error_internal');
}

function isCoded(thrown: unknown): thrown is { code: string } {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown;
}

export function codeOf(thrown: unknown): string {
  return isCoded(thrown) ? thrown.code : 'internal';
}

const PASSING = new Set(['offline', 'timeout', 'disconnected', 'unavailable', 'overloaded', 'shutting_down']);

/** Whether the same may well succeed a little later. */
export function isPassing(thrown: unknown): boolean {
  return PASSING.has(codeOf(thrown));
}
