// The file of a message. Its place is as large as the file will be from the start, so nothing moves.
import type { TimelineMessage } from '@parley/client';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { explain } from '@/app/errors';
import { bytes } from '@/i18n/dates';
import { t } from '@/i18n/i18n';
import { IconButton } from '@/ui/button';
import { useAsked } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { toast } from '@/ui/overlay';
import { drawBlurhash } from './blurhash';
import { fitted, isPicture, isTiny } from './box';
import { files } from './files';
import { openLightbox } from './lightbox';

type Facts = NonNullable<TimelineMessage['media']>;

export function Attachment({ message }: { message: TimelineMessage }) {
  const { media } = message;
  if (!media) return <p class="hint">{t('attachment')}</p>;
  if (isPicture(media)) return <Picture message={message} media={media} />;
  if (/^(video|audio)\//.test(media.content_type)) return <Player message={message} media={media} />;
  return <FileCard message={message} media={media} />;
}

function Picture({ message, media }: { message: TimelineMessage; media: Facts }) {
  const { media_id = '' } = message;
  const thumbnails = media.thumbnails ?? [];
  const animated = media.content_type === 'image/gif';
  const size = !animated && thumbnails.some((each) => each.size === 'large') ? 'large' : 'original';
  const { value: url, error, again } = useAsked(() => files.picture(media_id, size), [media_id, size]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [shown, setShown] = useState(false);
  useLayoutEffect(() => {
    if (media.blurhash && canvas.current) drawBlurhash(canvas.current, media.blurhash);
  }, [media.blurhash, shown]);
  // What was shown before its size was known stays as it is: nothing moves under the reader's eyes.
  const [{ known, tiny, width, height }] = useState(() => ({ known: Boolean(media.width), tiny: isTiny(media), ...fitted(media) }));
  return (
    <button
      type="button" class={`picture ${known ? '' : 'has-no-size'} ${tiny ? 'is-tiny' : ''}`} style={{ width: `${width}px`, aspectRatio: `${width} / ${height}` }}
      aria-label={error ? `${media.filename}: ${t('pictureFailed')}` : t('openPicture', { name: media.filename })} onClick={() => (error ? again() : openLightbox(message))}
    >
      {media.blurhash && !shown && <canvas ref={canvas} width={32} height={32} aria-hidden="true" />}
      {url && <img src={url} alt={media.filename} class={shown ? 'is-shown' : ''} onLoad={() => setShown(true)} />}
      {Boolean(error) && <span class="picture-error"><span><Icon name="retry" /><span class="picture-error-text">{t('pictureFailed')}</span></span></span>}
    </button>
  );
}

function Player({ message, media }: { message: TimelineMessage; media: Facts }) {
  const [url, setUrl] = useState<string | null>(null);
  const element = useRef<HTMLMediaElement>(null);
  const place = useRef(0);
  const isVideo = media.content_type.startsWith('video/');
  const load = async () => {
    try {
      setUrl(await files.signed(message.media_id!));
    } catch (error) {
      toast(explain(error));
    }
  };
  useEffect(() => {
    if (url && element.current) {
      element.current.currentTime = place.current;
      void element.current.play().catch(() => {});
    }
  }, [url]);
  const common = {
    src: url ?? undefined, controls: true, title: media.filename,
    onTimeUpdate: () => (place.current = element.current?.currentTime ?? 0),
    // The signed URL has ended: another one, and on from there.
    onError: () => place.current > 0 && void load(),
  };
  if (!url) {
    return (
      <FileCard message={message} media={media}>
        <IconButton icon="play" label={t('play', { name: media.filename })} onClick={() => void load()} />
      </FileCard>
    );
  }
  return isVideo ? <video class="video" ref={element as never} {...common} /> : <audio class="audio" ref={element as never} {...common} />;
}

function FileCard({ message, media, children }:
  { message: TimelineMessage; media: Facts; children?: preact.ComponentChildren }) {
  const get = () => files.download(message.media_id!, media.filename).catch((error) => toast(explain(error)));
  return (
    <div class="file-card">
      <span class="file-icon"><Icon name="file" /></span>
      <div class="grow">
        <p class="file-name ellipsis" dir="auto">{media.filename}</p>
        <p class="hint">{bytes(media.size)}</p>
      </div>
      {children}
      <IconButton icon="download" label={t('download', { name: media.filename })} onClick={() => void get()} />
    </div>
  );
}
