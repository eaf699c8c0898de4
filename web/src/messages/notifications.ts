// The browser's own notifications, while the page is open and not looked at.
const KEY = 'parley.notifications';

export function notifications(): boolean {
  return localStorage.getItem(KEY) === 'on' && 'Notification' in window && Notification.permission === 'granted';
}

export function setNotifications(on: boolean): void {
  localStorage.setItem(KEY, on ? 'on' : 'off');
}

/** False when the browser or its user does not allow it. */
export async function askForNotifications(): Promise<boolean> {
  if (!('Notification' in window)) return false;
  const allowed = await Notification.requestPermission() === 'granted';
  setNotifications(allowed);
  return allowed;
}

export function notify(title: string, body: string, tag: string, opened: () => void): void {
  if (!notifications()) return;
  try {
    const shown = new Notification(title, { body, tag, icon: '/icon-192.png' });
    shown.onclick = () => {
      focus();
      opened();
      shown.close();
    };
  } catch {
    // A phone shows them through the service worker alone.
    void navigator.serviceWorker?.ready.then((worker) => worker.showNotification(title, { body, tag, icon: '/icon-192.png' }));
  }
}
