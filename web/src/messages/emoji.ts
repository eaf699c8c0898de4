// The picker is fetched when it is first opened; what was used last is at its top.
import { overlay, toast } from '@/ui/overlay';
import { t } from '@/i18n/i18n';
import { h, type VNode } from 'preact';

interface PickerProps {
  near: HTMLElement;
  picked: (emoji: string) => void;
}

export const QUICK = ['👍', '❤️', '😂', '🎉', '🙌', '😮'];
const KEY = 'parley.emoji';
const RECENT_MAX = 24;

export function recentEmoji(): string[] {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '[]') as unknown;
    const list = Array.isArray(stored) ? stored.filter((each) => typeof each === 'string') : [];
    return list.length ? list : QUICK;
  } catch {
    return QUICK;
  }
}

export function noteEmoji(emoji: string): void {
  const list = [emoji, ...recentEmoji().filter((each) => each !== emoji)].slice(0, RECENT_MAX);
  localStorage.setItem(KEY, JSON.stringify(list));
}

export function openPicker(near: HTMLElement, picked: (emoji: string) => void): void {
  import('./emoji_picker').then(({ EmojiPicker }) => overlay.open(h<PickerProps>(EmojiPicker, {
    near,
    picked: (emoji: string) => {
      noteEmoji(emoji);
      overlay.close();
      picked(emoji);
    },
  }) as VNode), () => toast(t('error_offline')));
}
