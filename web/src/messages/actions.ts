// What can be done with a message, from the pointer, the menu and the keyboard alike.
import type { PendingMessage, Room, TimelineMessage } from '@parley/client';
import { copy } from '@/account/settings';
import { myId } from '@/app/client';
import { explain } from '@/app/errors';
import { t } from '@/i18n/i18n';
import { toast } from '@/ui/overlay';
import { deletions } from './deletions';
import { openPicker } from './emoji';

export interface Target {
  room: Room;
  reply: (message: TimelineMessage) => void;
  edit: (id: string) => void;
  jump: (id: string) => Promise<void>;
  focusComposer: () => void;
}

export interface ChatActions {
  reply(message: TimelineMessage): void;
  edit(message: TimelineMessage): void;
  remove(message: TimelineMessage): void;
  react(message: TimelineMessage, emoji: string): void;
  pick(message: TimelineMessage, near: HTMLElement): void;
  copyText(message: TimelineMessage): void;
  copyLink(message: TimelineMessage): void;
  jump(id: string): void;
  retry(pending: PendingMessage): void;
  discard(pending: PendingMessage): void;
}

export function chatActions(target: () => Target): ChatActions {
  const react = (message: TimelineMessage, emoji: string) => {
    const { room } = target();
    const mine = message.reactions?.some((each) => each.emoji === emoji && each.user_ids.includes(myId()));
    room.react(message.id, emoji, !mine).catch((error) => toast(explain(error)));
  };
  return {
    reply: (message) => target().reply(message),
    edit: (message) => target().edit(message.id),
    remove: (message) => {
      deletions.begin(target().room, message);
      target().focusComposer();
    },
    react,
    pick: (message, near) => openPicker(near, (emoji) => react(message, emoji)),
    copyText: (message) => void copy(message.content, t('copied')),
    copyLink: (message) => void copy(`${location.origin}/#/r/${message.room_id}`, t('copied')),
    jump: (id) => void target().jump(id),
    retry: ({ nonce }) => target().room.retry(nonce),
    discard: ({ nonce }) => target().room.discard(nonce),
  };
}

export function mayEdit(message: TimelineMessage): boolean {
  return message.user_id === myId() && !message.deleted && message.type === 'TEXT';
}

export function mayRemove(room: Room, message: TimelineMessage): boolean {
  const role = room.info?.my_role;
  return !message.deleted && (message.user_id === myId() || role === 'admin' || role === 'owner');
}
