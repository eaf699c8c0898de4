// What lies above the page: the open dialog, toasts, and what a screen reader is told.
import { Emitter } from '@/app/emitter';
import type { ComponentChildren, VNode } from 'preact';
import { t } from '@/i18n/i18n';
import { useEvent } from './hooks';

const TOAST_MS = 5_000;
const TOASTS_MAX = 3;
const SAID_MS = 1_500;

interface Toast {
  key: number;
  text: string;
  action?: { name: string; run: () => void } | undefined;
  /** Called when it goes without the action. */
  expired?: (() => void) | undefined;
  timer: ReturnType<typeof setTimeout>;
}

class Overlay extends Emitter<{ change: void; say: void }> {
  dialog: VNode | null = null;
  toasts: Toast[] = [];
  said = '';
  #keys = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;

  open(dialog: VNode | null): void {
    this.dialog = dialog;
    this.emit('change', undefined);
  }

  readonly close = () => this.open(null);

  toast(text: string, options: Pick<Toast, 'action' | 'expired'> = {}): void {
    const key = ++this.#keys;
    const timer = setTimeout(() => this.#end(key, true), TOAST_MS);
    this.toasts = [...this.toasts, { key, text, timer, ...options }];
    while (this.toasts.length > TOASTS_MAX) this.#end(this.toasts[0]!.key, true);
    this.emit('change', undefined);
  }

  act(key: number): void {
    this.#end(key, false)?.action?.run();
  }

  dismiss(key: number): void {
    this.#end(key, true);
  }

  /** For screen readers. */
  say(text: string): void {
    this.said = text;
    this.emit('say', undefined);
    clearTimeout(this.#silence);
    if (text) this.#silence = setTimeout(() => this.say(''), SAID_MS);
  }

  #end(key: number, expired: boolean): Toast | undefined {
    const toast = this.toasts.find((each) => each.key === key);
    if (!toast) return undefined;
    clearTimeout(toast.timer);
    this.toasts = this.toasts.filter((each) => each !== toast);
    if (expired) toast.expired?.();
    this.emit('change', undefined);
    return toast;
  }
}

export const overlay = new Overlay();
export const toast = overlay.toast.bind(overlay);

export function Overlays() {
  useEvent(overlay, 'change');
  return (
    <>
      {overlay.dialog}
      <div class="toasts" role="status">
        {overlay.toasts.map(({ key, text, action }) => (
          <div key={key} class="toast">
            <span dir="auto">{text}</span>
            {action && <button type="button" class="link" onClick={() => overlay.act(key)}>{action.name}</button>}
            <button type="button" class="toast-close" aria-label={t('dismiss')} onClick={() => overlay.dismiss(key)}>×</button>
          </div>
        ))}
      </div>
    </>
  );
}

export function Announcer() {
  useEvent(overlay, 'say');
  return <div class="visually-hidden" aria-live="polite">{overlay.said}</div>;
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><p class="empty-title">{title}</p>{children}</div>;
}
