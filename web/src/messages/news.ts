// What comes while nobody looks: told by a notification, and to screen readers in the open room.
import { client, myId } from '@/app/client';
import { router, toRoom } from '@/app/route';
import { t } from '@/i18n/i18n';
import { nameOf, titleOf } from '@/people/title';
import { overlay } from '@/ui/overlay';
import { plain } from './markdown';
import { notify } from './notifications';

/** One tab of several tells it. */
const LOCK = 'parley-news';

export function watchNews(): () => void {
  let tells = false;
  const over = new AbortController();
  if (navigator.locks) {
    navigator.locks.request(LOCK, { signal: over.signal }, () => {
      tells = true;
      return new Promise<void>((end) => over.signal.addEventListener('abort', () => end()));
    }).catch(() => {});
  } else tells = true;
  const off = client.on('event', ({ room, event }) => {
    if (event.op !== 'message' || event.message.user_id === myId()) return;
    const { message } = event;
    const name = nameOf(message.user_id);
    const text = plain(message.content) || message.media?.filename || t('attachment');
    const isOpen = router.route.page === 'room' && router.route.id === room.id;
    if (isOpen && !document.hidden && document.hasFocus()) return overlay.say(t('somebodySaid', { name, text }));
    if (!tells || (!document.hidden && document.hasFocus())) return undefined;
    const title = room.info?.kind === 'dm' ? name : `${name} · ${titleOf(room)}`;
    return notify(title, text, room.id, () => toRoom(room.id));
  });
  return () => {
    off();
    over.abort();
  };
}
