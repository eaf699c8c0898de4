// All emoji of Unicode, by group and by name; no picture and no request: the system's own font draws them.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import emojiText from 'virtual:emoji';
import { t, type Word } from '@/i18n/i18n';
import { place } from '@/ui/menu';
import { overlay } from '@/ui/overlay';
import { recentEmoji } from './emoji';

interface Emoji {
  emoji: string;
  name: string;
}
interface Group {
  name: Word;
  list: Emoji[];
}

const GROUP_WORDS: Word[] = ['emojiSmileys', 'emojiPeople', 'emojiNature', 'emojiFood', 'emojiTravel', 'emojiActivities',
  'emojiObjects', 'emojiSymbols', 'emojiFlags'];
const COLUMNS = 9;
const FOUND_MAX = 90;

const groups: Group[] = emojiText.split('\n\n').map((text, i) => ({
  name: GROUP_WORDS[i] ?? 'emojiSymbols',
  list: text.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return { emoji: line.slice(0, space), name: line.slice(space + 1) };
  }),
}));
const all = groups.flatMap(({ list }) => list);

export function EmojiPicker({ near, picked }: { near: HTMLElement; picked: (emoji: string) => void }) {
  const [query, setQuery] = useState('');
  const [group, setGroup] = useState(0);
  const [hint, setHint] = useState('');
  const dialog = useRef<HTMLDialogElement>(null);
  const recent = useMemo(recentEmoji, []);
  useLayoutEffect(() => {
    const { current } = dialog;
    const before = document.activeElement as HTMLElement | null;
    current!.showModal();
    place(current!, near);
    current!.querySelector('input')!.focus();
    return () => {
      current!.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length ? all.filter(({ name }) => words.every((word) => name.includes(word))).slice(0, FOUND_MAX) : null;
  useEffect(() => dialog.current!.querySelector('.emoji-scroll')!.scrollTo(0, 0), [group, query]);
  const keys = (event: KeyboardEvent) => {
    const buttons = [...dialog.current!.querySelectorAll<HTMLElement>('.emoji-scroll button')];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (event.key === 'Enter' && at < 0) {
      event.preventDefault();
      buttons[0]?.click();
    } else if (step && (at >= 0 || event.key === 'ArrowDown')) {
      event.preventDefault();
      if (at < 0) buttons[0]?.focus();
      else if (at + step < 0) dialog.current!.querySelector('input')!.focus();
      else buttons[Math.min(at + step, buttons.length - 1)]?.focus();
    }
  };
  const grid = (list: Emoji[], label: string) => (
    <div class="emoji-grid" role="group" aria-label={label}>
      {list.map(({ emoji, name }) => (
        <button key={emoji} type="button" class="emoji" title={name} aria-label={name || emoji} onClick={() => picked(emoji)}
          onFocus={() => setHint(name)} onPointerEnter={() => setHint(name)}>{emoji}</button>
      ))}
    </div>
  );
  const shown = groups[group]!;
  return (
    <dialog
      ref={dialog} class="emoji-picker" aria-label={t('emojiPicker')} onKeyDown={keys}
      onCancel={(event) => {
        event.preventDefault();
        overlay.close();
      }}
      onMouseDown={(event) => event.target === dialog.current && overlay.close()}
    >
      <div class="emoji-body">
        <input class="input" type="search" placeholder={t('searchEmoji')} aria-label={t('searchEmoji')} value={query} autocomplete="off"
          onInput={(event) => setQuery(event.currentTarget.value)} />
        <div class="emoji-groups" role="group" aria-label={t('emojiGroups')}>
          {groups.map(({ name, list }, i) => (
            <button key={name} type="button" class="emoji" aria-pressed={!found && i === group} aria-label={t(name)} title={t(name)}
              onClick={() => {
                setQuery('');
                setGroup(i);
              }}>{list[0]!.emoji}</button>
          ))}
        </div>
        <div class="emoji-scroll">
          {found ? (found.length ? grid(found, t('searchEmoji')) : <p class="hint">{t('noEmojiFits')}</p>) : (
            <>
              {group === 0 && <><h3>{t('emojiRecent')}</h3>{grid(recent.map(named), t('emojiRecent'))}</>}
              <h3>{t(shown.name)}</h3>
              {grid(shown.list, t(shown.name))}
            </>
          )}
        </div>
        <p class="emoji-hint hint ellipsis">{hint}</p>
      </div>
    </dialog>
  );
}

function named(emoji: string): Emoji {
  return all.find((each) => each.emoji === emoji) ?? { emoji, name: '' };
}
