// The keys of the timeline: from message to message, and what is done with the one that has the focus.
import type { TimelineMessage } from '@parley/client';
import { useLatest } from '@/ui/hooks';
import { mayEdit, mayRemove, type ChatActions } from './actions';
import { isMessage } from './rows';
import type { Timeline } from './timeline';
import { client } from '@/app/client';

interface KeyOptions {
  timeline: { current: Timeline | null };
  activeKey: string | null;
  setActive: (key: string | null) => void;
  actions: ChatActions;
  focusComposer: () => void;
}

export function useMessageKeys({ timeline, activeKey, setActive, actions, focusComposer }: KeyOptions) {
  return useLatest((event: KeyboardEvent) => {
    const from = event.target as HTMLElement;
    const isRow = from.classList.contains('message');
    if (!isRow && !from.classList.contains('timeline')) return;
    const { list } = timeline.current!.rows;
    const at = list.findIndex((row) => row.key === activeKey);
    const move = (to: number) => {
      const index = Math.max(0, Math.min(list.length - 1, to));
      const row = list[index];
      if (!row) return;
      event.preventDefault();
      setActive(row.key);
      timeline.current!.focusRow(index);
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    switch (event.key) {
      case 'ArrowUp': return move(isRow ? at - 1 : at);
      case 'ArrowDown':
        if (at < list.length - 1) return move(at + 1);
        setActive(null);
        return focusComposer();
      case 'Home': return move(0);
      case 'End': return move(list.length - 1);
      case 'Escape':
        setActive(null);
        return focusComposer();
    }
    const entry = isRow ? list[at]?.entry : undefined;
    if (entry && isMessage(entry) && !entry.deleted) act(event, entry, from);
  });

  function act(event: KeyboardEvent, message: TimelineMessage, element: HTMLElement): void {
    const keys: Record<string, () => void> = {
      r: () => actions.reply(message),
      c: () => actions.copyText(message),
      '+': () => actions.pick(message, element),
    };
    if (mayEdit(message)) keys.e = () => actions.edit(message);
    if (mayRemove(client.room(message.room_id), message)) keys.Delete = () => actions.remove(message);
    const found = keys[event.key];
    if (!found) return;
    event.preventDefault();
    found();
  }
}
