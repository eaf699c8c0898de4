// Keys that work everywhere, and the page that names them.
import { client } from '@/app/client';
import { t } from '@/i18n/i18n';
import { openDirectory } from '@/rooms/directory';
import { openSwitcher } from '@/rooms/switcher';
import { Dialog } from '@/ui/dialog';
import { useGlobalKey } from '@/ui/hooks';
import { overlay } from '@/ui/overlay';
import { keyCap } from './platform';
import { router, toRoom } from './route';

export function useShortcuts(): void {
  useGlobalKey((event) => {
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.shiftKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      return openSwitcher();
    }
    if (overlay.dialog) return undefined;
    if (command && event.shiftKey && event.key.toLowerCase() === 'f') {
      event.preventDefault();
      return openDirectory();
    }
    if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      return step(event.key === 'ArrowDown' ? 1 : -1, event.shiftKey);
    }
    if (command || event.altKey || isWriting(event.target)) return undefined;
    if (event.key === '?') {
      event.preventDefault();
      return openKeys();
    }
    // Whoever begins to write, writes a message.
    if (event.key.length === 1 && event.key !== ' ' && event.target === document.body) {
      document.querySelector<HTMLElement>('.composer-input')?.focus();
    }
    return undefined;
  });
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function step(by: number, unreadOnly: boolean): void {
  const rooms = client.rooms.filter((room) => !unreadOnly || room.info?.unread_count
    || (router.route.page === 'room' && router.route.id === room.id));
  const at = rooms.findIndex((room) => router.route.page === 'room' && router.route.id === room.id);
  const next = rooms[at < 0 ? 0 : (at + by + rooms.length) % rooms.length];
  if (next) toRoom(next.id);
}

export function openKeys(): void {
  const key = (...names: string[]) => names.map((name) => <kbd key={name}>{keyCap(name)}</kbd>);
  const rows: [preact.ComponentChildren, string][] = [
    [key('Ctrl', 'K'), t('goToRoom')],
    [key('Ctrl', 'Shift', 'F'), t('findRoom')],
    [key('Alt', '↑ ↓'), t('keyNextRoom')],
    [key('Alt', 'Shift', '↑ ↓'), t('keyNextUnread')],
    [key('Enter'), t('send')],
    [key('Shift', 'Enter'), t('keyNewLine')],
    [key('↑'), t('keyEditLast')],
    [key('Ctrl', 'B'), t('keyBold')],
    [key('Ctrl', 'I'), t('keyItalic')],
    [key('Esc'), t('keyEscape')],
    [key('Shift', 'Tab'), t('keyToMessages')],
    [key('↑ ↓', 'Home', 'End'), t('keyAmongMessages')],
    [key('R'), t('reply')],
    [key('E'), t('edit')],
    [key('+'), t('react')],
    [key('Del'), t('delete')],
    [key('?'), t('keys')],
  ];
  overlay.open(
    <Dialog title={t('keys')} class="keys-dialog" onClose={overlay.close}>
      <dl class="keys">
        {rows.map(([keys, what]) => <div key={what}><dt>{what}</dt><dd>{keys}</dd></div>)}
      </dl>
    </Dialog>,
  );
}
