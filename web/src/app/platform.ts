// What keys are called on this machine.
import { t } from '@/i18n/i18n';

const IS_APPLE = /Mac|iPhone|iPad/.test(navigator.platform);
const APPLE: Record<string, string> = { Ctrl: '⌘', Alt: '⌥', Shift: '⇧' };

/** What stands on the key. */
export function keyCap(name: string): string {
  return (IS_APPLE && APPLE[name]) || (name === 'Ctrl' ? t('keyCtrl') : name);
}

/** The key that leads to any room, in one word. */
export function roomKey(): string {
  return `${keyCap('Ctrl')} K`;
}
