// While an @ is written: the people of the room whose names begin so.
import type { Room } from '@parley/client';
import { useImperativeHandle, useState } from 'preact/hooks';
import { t } from '@/i18n/i18n';
import { people } from '@/people/people';
import { Avatar } from '@/ui/avatar';

const SHOWN_MAX = 6;
const BEGUN = /(?:^|[\s(])@([\p{L}\p{N}_.-]{0,20})$/u;

export interface SuggestionsHandle {
  /** True when the key was for the list. */
  key(event: KeyboardEvent): boolean;
}

interface SuggestionsProps {
  handle: { current: SuggestionsHandle | null };
  room: Room;
  area: { current: HTMLTextAreaElement | null };
  text: string;
  onPick: (text: string, from: number, to: number) => void;
}

// A name that is written out needs no help.
function beginsWith(name: string, word: string): boolean {
  const lower = name.toLowerCase();
  return lower.startsWith(word) && lower !== word;
}

export function Suggestions({ handle, room, area, text, onPick }: SuggestionsProps) {
  const [at, setAt] = useState(0);
  const [dismissed, setDismissed] = useState('');
  const caret = area.current?.selectionStart ?? text.length;
  const begun = text ? BEGUN.exec(text.slice(0, caret)) : null;
  const word = begun?.[1]?.toLowerCase();
  const found = word === undefined || dismissed === text ? []
    : people.of(room).list.filter(({ username, display_name = '' }) => beginsWith(username, word)
      || (username.toLowerCase() !== word && display_name.toLowerCase().startsWith(word) && word)).slice(0, SHOWN_MAX);
  const chosen = Math.min(at, found.length - 1);
  const pick = (name: string) => onPick(`@${name} `, caret - word!.length - 1, caret);
  useImperativeHandle(handle, () => ({
    key(event) {
      if (!found.length || event.isComposing) return false;
      if (event.key === 'ArrowDown') setAt((chosen + 1) % found.length);
      else if (event.key === 'ArrowUp') setAt((chosen - 1 + found.length) % found.length);
      else if (event.key === 'Tab' || (event.key === 'Enter' && word)) pick(found[chosen]!.username);
      else if (event.key === 'Escape') setDismissed(text);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  }));
  if (!found.length) return null;
  return (
    <ul class="suggestions" role="listbox" aria-label={t('people')}>
      {found.map(({ user_id, username, display_name }, i) => (
        <li key={user_id} role="option" aria-selected={i === chosen} onPointerDown={(event) => {
          event.preventDefault();
          pick(username);
        }}>
          <Avatar id={user_id} name={display_name || username} size="small" online={people.isOnline(user_id)} />
          <span dir="auto">{display_name || username}</span>{display_name && <span class="hint" dir="auto">@{username}</span>}
        </li>
      ))}
    </ul>
  );
}
