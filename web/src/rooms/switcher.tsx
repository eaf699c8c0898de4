// Ctrl-K: to a room by a few letters of its name.
import { useEffect, useRef, useState } from 'preact/hooks';
import { client } from '@/app/client';
import { toRoom } from '@/app/route';
import { t, tn } from '@/i18n/i18n';
import { partnerOf } from '@/people/people';
import { titleOf } from '@/people/title';
import { Avatar } from '@/ui/avatar';
import { Dialog } from '@/ui/dialog';
import { Icon } from '@/ui/icon';
import { overlay } from '@/ui/overlay';
import { openDirectory } from './directory';

const SHOWN_MAX = 12;

export function openSwitcher(): void {
  overlay.open(<Switcher key="switcher" />);
}

/** Higher is better, -1 does not fit: the start of the name, of a word, anywhere, or its letters in order. */
export function fit(name: string, query: string): number {
  const [text, wanted] = [name.toLocaleLowerCase(), query.toLocaleLowerCase().trim()];
  if (!wanted) return 0;
  const at = text.indexOf(wanted);
  if (at === 0) return 4;
  if (at > 0) return /[\s\-_.]/.test(text[at - 1]!) ? 3 : 2;
  let next = 0;
  for (const letter of text) if (letter === wanted[next]) next++;
  return next === wanted.length ? 1 : -1;
}

function Switcher() {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const found = client.rooms
    .map((room) => ({ room, title: titleOf(room) }))
    .map((each) => ({ ...each, score: fit(each.title, query) }))
    .filter(({ score }) => score >= 0)
    .sort((a, b) => b.score - a.score || Number(b.room.info!.unread_count) - Number(a.room.info!.unread_count))
    .slice(0, SHOWN_MAX);
  const chosen = Math.min(at, found.length - 1);
  useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [chosen]);
  const go = (id: string | undefined) => {
    if (!id) return;
    overlay.close();
    toRoom(id);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt((chosen + 1) % Math.max(1, found.length));
    else if (event.key === 'ArrowUp') setAt((chosen - 1 + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter') go(found[chosen]?.room.id);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t('goToRoom')} bare class="switcher" onClose={overlay.close}>
      <div class="search-field">
        <Icon name="search" size={18} />
        <input
          class="input" role="combobox" aria-expanded="true" aria-controls="switcher-list" aria-label={t('goToRoom')}
          aria-activedescendant={found[chosen] ? `switch-${found[chosen].room.id}` : undefined}
          placeholder={t('goToRoom')} value={query} autocomplete="off"
          onInput={(event) => {
            setQuery(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={keys}
        />
      </div>
      <ul id="switcher-list" class="switcher-list" role="listbox" aria-label={t('rooms')} ref={list}>
        {found.map(({ room, title }, i) => (
          <li
            key={room.id} id={`switch-${room.id}`} role="option" aria-selected={i === chosen}
            onClick={() => go(room.id)} onPointerMove={() => i !== at && setAt(i)}
          >
            {room.info!.kind === 'dm' ? <Avatar id={partnerOf(room) ?? room.id} name={title} size="small" />
              : <span class="room-icon small"><Icon name={room.info!.visibility === 'private' ? 'lock' : 'hash'} size={16} /></span>}
            <span class="grow ellipsis" dir="auto">{title}</span>
            {Boolean(room.info!.unread_count) && <span class="hint">{tn('unread', room.info!.unread_count!)}</span>}
          </li>
        ))}
      </ul>
      {!found.length && (
        <p class="switcher-none hint">
          {t('noRoomFits')} <button type="button" class="link" onClick={openDirectory}>{t('findRoom')}</button>
        </p>
      )}
    </Dialog>
  );
}
