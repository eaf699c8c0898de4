// A person's picture, or initials on a colour that is always theirs: until it is there, where there is none, and where it
// may not be seen.
import { useEffect, useState } from 'preact/hooks';
import { avatars } from '@/media/avatars';
import { people } from '@/people/people';

const COLOURS = 10;

function colourOf(id: string): number {
  let sum = 0;
  for (let i = 0; i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0;
  return sum % COLOURS;
}

function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0]!, words[1]!].map((word) => [...word][0]) : [...(words[0] ?? '?')].slice(0, 1);
  return letters.join('').toUpperCase();
}

/** `picture`: whoever asks knows it better than the lists of members. */
export function Avatar({ id, name, picture, online, size = '' }:
  { id: string; name: string; picture?: string | null | undefined; online?: boolean | undefined; size?: string }) {
  const url = usePicture(picture ?? people.pictureOf(id));
  return (
    <span class={`avatar colour-${colourOf(id)} ${size}`} aria-hidden="true">
      {url ? <img src={url} alt="" draggable={false} /> : initialsOf(name)}
      {online !== undefined && <span class={`dot ${online ? 'is-online' : ''}`} />}
    </span>
  );
}

function usePicture(mediaId: string | undefined): string | undefined {
  const [loaded, setLoaded] = useState<{ mediaId: string; url: string } | null>(null);
  const known = mediaId && avatars.known(mediaId);
  useEffect(() => {
    if (!mediaId || known) return undefined;
    let wanted = true;
    avatars.load(mediaId).then((url) => wanted && setLoaded({ mediaId, url }), () => {});
    return () => void (wanted = false);
  }, [mediaId, known]);
  return known || (loaded && loaded.mediaId === mediaId ? loaded.url : undefined);
}
