// Somebody is brought into a room: one of those from my other rooms by name, anybody by the id from their settings.
import type { Room } from '@parley/client';
import { useState } from 'preact/hooks';
import { myId } from '@/app/client';
import { t } from '@/i18n/i18n';
import { Avatar } from '@/ui/avatar';
import { Field, FormDialog } from '@/ui/dialog';
import { overlay } from '@/ui/overlay';
import { people } from './people';

const SHOWN_MAX = 6;
const ID = /^\d{1,19}$/;

export function openAdd(room: Room): void {
  overlay.open(<AddMember key="add" room={room} />);
}

function AddMember({ room }: { room: Room }) {
  const [query, setQuery] = useState('');
  const [picked, setPicked] = useState('');
  const found = strangersTo(room, query);
  // Who types on means the first that fits.
  const chosen = found.find(({ id }) => id === picked)?.id ?? (query.trim() ? found[0]?.id : undefined);
  const add = async () => {
    const id = chosen ?? query.trim();
    if (!ID.test(id)) throw { code: 'unknown_person' };
    await room.setMember(id);
    await people.load(room).catch(() => {});
  };
  return (
    <FormDialog title={t('addSomebody')} action={t('add')} onClose={overlay.close} run={add}>
      <Field name="who" label={t('nameOrUserId')} hint={t('userIdHint')}>
        <input id="field-who" name="who" class="input" aria-describedby="hint-who" autocomplete="off" autocapitalize="none"
          spellcheck={false} dir="auto" required={!chosen} value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
      </Field>
      {found.length > 0 && (
        <fieldset class="people-choice">
          <legend>{t('fromYourRooms')}</legend>
          {found.map(({ id, name, username }) => (
            <label key={id} class="person-choice">
              <input type="radio" name="user_id" value={id} checked={id === chosen} onChange={() => setPicked(id)} />
              <Avatar id={id} name={name} picture={people.pictureOf(id)} size="small" />
              <span class="ellipsis" dir="auto">{name}</span>
              {name !== username && <span class="hint ellipsis" dir="auto">@{username}</span>}
            </label>
          ))}
        </fieldset>
      )}
    </FormDialog>
  );
}

/** People I know who are not in the room; those first whose name begins so. */
function strangersTo(room: Room, query: string) {
  const wanted = query.trim().toLocaleLowerCase();
  const inside = new Set(people.of(room).list.map((member) => member.user_id));
  return [...people.known]
    .map(([id, { username, display_name }]) => ({ id, username, name: display_name || username }))
    .map((each) => ({ ...each, at: `${each.name}\n${each.username}`.toLocaleLowerCase().indexOf(wanted) }))
    .filter(({ id, at }) => at >= 0 && id !== myId() && !inside.has(id))
    .sort((a, b) => Number(a.at > 0) - Number(b.at > 0) || a.name.localeCompare(b.name))
    .slice(0, SHOWN_MAX);
}
