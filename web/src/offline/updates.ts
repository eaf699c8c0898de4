// The service worker, a notice when a newer version waits, and the browser's offer to install.
import { Emitter } from '@/app/emitter';
import { t } from '@/i18n/i18n';
import { toast } from '@/ui/overlay';

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

const CHECK_MS = 60 * 60_000;
let offer: InstallPrompt | null = null;

class Installer extends Emitter<{ change: void }> {
  get available(): boolean {
    return offer !== null;
  }
}
export const installer = new Installer();

export async function install(): Promise<void> {
  await offer?.prompt();
  offer = null;
  installer.emit('change', undefined);
}

export function startUpdates(): void {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    offer = event as InstallPrompt;
    installer.emit('change', undefined);
  });
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  const hadOne = navigator.serviceWorker.controller !== null;
  let reloading = false;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (!hadOne || reloading) return;
    reloading = true;
    location.reload();
  });
  // The page first; then its worker.
  addEventListener('load', () => void navigator.serviceWorker.register('/sw.js').then(watch, () => {}));
}

function watch(registration: ServiceWorkerRegistration): void {
  const waits = (worker: ServiceWorker | null) => {
    if (!worker || !navigator.serviceWorker.controller) return;
    toast(t('updateReady'), { action: { name: t('updateNow'), run: () => worker.postMessage('take-over') } });
  };
  waits(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const { installing } = registration;
    installing?.addEventListener('statechange', () => installing.state === 'installed' && waits(installing));
  });
  setInterval(() => void registration.update().catch(() => {}), CHECK_MS);
}
