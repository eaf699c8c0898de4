// A button with a menu: arrows move, Escape and a click elsewhere close, the focus goes back.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon';

export interface MenuEntry {
  icon: IconName;
  label: string;
  danger?: boolean;
  run: () => void;
}

interface MenuProps {
  label: string;
  icon: IconName;
  entries: MenuEntry[];
  class?: string;
  /** Above the entries, for what has its own keys. */
  head?: (close: () => void) => ComponentChildren;
  onToggle?: (open: boolean) => void;
  tabIndex?: number;
}

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

export function Menu({ label, icon, entries, class: more = '', head, onToggle, tabIndex = 0 }: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  const toggle = (next: boolean, focus = false) => {
    setOpen(next);
    onToggle?.(next);
    if (focus) button.current?.focus();
  };
  useLayoutEffect(() => {
    if (!open) return;
    const menu = box.current!.querySelector<HTMLElement>('[role=menu]')!;
    place(menu, button.current!);
    menu.querySelector<HTMLElement>('button')?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (event: Event) => box.current?.contains(event.target as Node) || toggle(false);
    document.addEventListener('pointerdown', outside, true);
    return () => document.removeEventListener('pointerdown', outside, true);
  }, [open]);

  const keys = (event: KeyboardEvent) => {
    if (!open) return;
    const items = [...box.current!.querySelectorAll<HTMLElement>('[role=menu] button')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const step = STEPS[event.key];
    if (event.key === 'Escape') toggle(false, true);
    else if (event.key === 'Tab') toggle(false);
    else if (step) items[(at + step + items.length) % items.length]?.focus();
    else return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class={`menu-box ${more}`} ref={box} onKeyDown={keys}>
      <button
        ref={button} type="button" class="icon-button" aria-haspopup="menu" aria-expanded={open}
        aria-label={label} title={label} tabIndex={tabIndex} onClick={() => toggle(!open)}
      >
        <Icon name={icon} />
      </button>
      {open && (
        <div class="menu" role="menu" aria-label={label}>
          {head?.(() => toggle(false, true))}
          {entries.map((entry) => (
            <button
              key={entry.label} type="button" role="menuitem" class={`menu-item ${entry.danger ? 'is-danger' : ''}`}
              onClick={() => {
                toggle(false, true);
                entry.run();
              }}
            >
              <Icon name={entry.icon} size={18} />
              {entry.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Beside `near`, wholly on the screen. */
export function place(floating: HTMLElement, near: HTMLElement): void {
  const box = near.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = floating;
  const below = box.bottom + 4 + height <= innerHeight - 8;
  const top = below ? box.bottom + 4 : Math.max(8, box.top - 4 - height);
  const left = Math.min(Math.max(8, box.right - width), innerWidth - width - 8);
  floating.style.top = `${Math.min(top, Math.max(8, innerHeight - height - 8))}px`;
  floating.style.left = `${Math.max(8, left)}px`;
}
