import type { TimelineMessage } from '@parley/client';
import { myId } from '@/app/client';
import { i18n, t } from '@/i18n/i18n';
import { nameOf } from '@/people/title';
import { IconButton } from '@/ui/button';
import type { ChatActions } from './actions';

export function Reactions({ message, actions }: { message: TimelineMessage; actions: ChatActions }) {
  const { reactions = [] } = message;
  if (!reactions.length) return null;
  return (
    <div class="reactions">
      {reactions.map(({ emoji, count, user_ids }) => {
        const names = user_ids.map(nameOf).join(', ');
        const rest = count - user_ids.length;
        const label = t('reactedWith', { names: rest > 0 ? `${names} +${rest}` : names, emoji });
        return (
          <button
            key={emoji} type="button" class="reaction" aria-pressed={user_ids.includes(myId())} aria-label={`${emoji} ${count}`}
            title={label} onClick={() => actions.react(message, emoji)}
          ><span class="emoji">{emoji}</span><span class="reaction-count">{i18n.number(count)}</span></button>
        );
      })}
      <IconButton icon="react" label={t('react')} class="reaction-add" tabIndex={-1}
        onClick={(event) => actions.pick(message, event.currentTarget)} />
    </div>
  );
}
