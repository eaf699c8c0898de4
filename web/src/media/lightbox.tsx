// A picture as large as the screen; arrows go to the others of the room.
import type { TimelineMessage } from '@parley/client';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { client } from '@/app/client';
import { explain } from '@/app/errors';
import { clock, dayText } from '@/i18n/dates';
import { i18n, t } from '@/i18n/i18n';
import { nameOf } from '@/people/title';
import { IconButton } from '@/ui/button';
import { useAsked, useEvent } from '@/ui/hooks';
import { overlay, toast } from '@/ui/overlay';
import { files } from './files';

export function openLightbox(message: TimelineMessage): void {
  overlay.open(<Lightbox key="lightbox" first={message} />);
}

function picturesOf(roomId: string): TimelineMessage[] {
  return client.room(roomId).messages.filter(({ media, deleted }) => !deleted && media?.content_type.startsWith('image/'));
}

function Lightbox({ first }: { first: TimelineMessage }) {
  const [message, setMessage] = useState(first);
  const dialog = useRef<HTMLDialogElement>(null);
  useEvent(client.room(first.room_id), 'change');
  const media = message.media!;
  const { value: url, error } = useAsked(() => files.picture(message.media_id!, 'original'), [message.media_id]);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current!.showModal();
    return () => {
      dialog.current?.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  const all = picturesOf(message.room_id);
  const at = all.findIndex(({ id }) => id === message.id);
  const go = (step: number) => all[at + step] && setMessage(all[at + step]!);
  const keys = (event: KeyboardEvent) => {
    const forward = i18n.direction === 'rtl' ? -1 : 1;
    if (event.key === 'ArrowRight') go(forward);
    if (event.key === 'ArrowLeft') go(-forward);
  };
  return (
    <dialog
      ref={dialog} class="lightbox" aria-label={media.filename} onKeyDown={keys}
      onCancel={(event) => {
        event.preventDefault();
        overlay.close();
      }}
    >
      <header>
        <div class="grow">
          <p class="file-name ellipsis" dir="auto">{media.filename}</p>
          <p class="hint" dir="auto">{nameOf(message.user_id)} · {dayText(message.created_at)}, {clock(message.created_at)}</p>
        </div>
        <IconButton icon="download" label={t('download', { name: media.filename })}
          onClick={() => void files.download(message.media_id!, media.filename).catch((thrown) => toast(explain(thrown)))} />
        <IconButton icon="close" label={t('close')} onClick={overlay.close} />
      </header>
      <div class="lightbox-stage" onClick={(event) => event.target === event.currentTarget && overlay.close()}>
        {at > 0 && <IconButton icon="previous" class="previous" label={t('previousPicture')} onClick={() => go(-1)} />}
        {url && !error && <img src={url} alt={media.filename} />}
        {Boolean(error) && <p role="alert">{explain(error)}</p>}
        {at >= 0 && at < all.length - 1 && <IconButton icon="next" class="next" label={t('nextPicture')} onClick={() => go(1)} />}
      </div>
    </dialog>
  );
}
