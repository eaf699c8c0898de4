// The words that one room adds to the filter.
import type { CallAnswer, RoomFields } from '@parley/client';
import { useRef, useState } from 'preact/hooks';
import { client } from '@/app/client';
import { t } from '@/i18n/i18n';
import { Button, IconButton } from '@/ui/button';
import { FormDialog } from '@/ui/dialog';
import { overlay, toast } from '@/ui/overlay';
import { Nothing } from './list';
import { a, explainHere, told } from './words';

type Word = CallAnswer<'GET /v1/rooms/{room_id}/words'>['words'][number];
const MOST = 200;
const BYTES = 128;

const ACTIONS = { mask: 'actionMask', reject: 'actionReject', hold: 'actionHold' } as const;
const MATCHES = { whole: 'matchWhole', anywhere: 'matchAnywhere' } as const;

export function openRoomWords(room: RoomFields): void {
  client.call('GET /v1/rooms/{room_id}/words', { path: { room_id: room.id } }).then(
    ({ words }) => overlay.open(<RoomWords key={`words-${room.id}`} room={room} before={words} />),
    (error) => toast(explainHere(error)),
  );
}

function RoomWords({ room, before }: { room: RoomFields; before: Word[] }) {
  const [words, setWords] = useState(before);
  const [full, setFull] = useState(false);
  const text = useRef<HTMLInputElement>(null);
  const action = useRef<HTMLSelectElement>(null);
  const match = useRef<HTMLSelectElement>(null);
  const withTyped = (): Word[] => {
    const word = text.current!.value.trim();
    if (!word) return words;
    const added = { word, action: action.current!.value, match: match.current!.value } as Word;
    return [...words.filter((each) => each.word !== word), added];
  };
  const add = () => {
    const next = withTyped();
    if (next.length > MOST) return setFull(true);
    setWords(next);
    text.current!.value = '';
    text.current!.focus();
  };
  const save = async () => {
    await told(client.call('PUT /v1/rooms/{room_id}/words', { path: { room_id: room.id }, body: { words: withTyped() } }));
    toast(a('wordsSaved'));
  };
  return (
    <FormDialog title={a('wordsTitle', { name: room.name })} action={t('save')} onClose={overlay.close} run={save} class="words-dialog">
      <p class="hint">{a('wordsText')}</p>
      {words.length ? (
        <ul class="word-rows">
          {words.map((each) => (
            <li key={each.word}>
              <span class="grow" dir="auto">{each.word}</span>
              <span class={`role ${each.action === 'reject' ? 'is-bad' : 'is-plain'}`}>{a(ACTIONS[each.action])}</span>
              <span class="hint">{a(MATCHES[each.match])}</span>
              <IconButton icon="close" label={a('removeWord', { word: each.word })} onClick={() => {
                setFull(false);
                setWords(words.filter((other) => other !== each));
                text.current!.focus();
              }} />
            </li>
          ))}
        </ul>
      ) : <Nothing icon="edit" title={a('noWords')} />}
      {full && <p class="form-error" role="alert">{a('wordsTooMany')}</p>}
      <div class="word-add">
        <input ref={text} class="input" aria-label={a('newWord')} placeholder={a('newWord')} maxLength={BYTES} dir="auto" data-focus
          autocomplete="off" onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.isComposing || !event.currentTarget.value.trim()) return;
            event.preventDefault();
            add();
          }} />
        <select ref={action} class="select" aria-label={a('actionLabel')}>
          {Object.entries(ACTIONS).map(([value, word]) => <option key={value} value={value}>{a(word)}</option>)}
        </select>
        <select ref={match} class="select" aria-label={a('matchLabel')}>
          {Object.entries(MATCHES).map(([value, word]) => <option key={value} value={value}>{a(word)}</option>)}
        </select>
        <Button onClick={add}>{a('addWord')}</Button>
      </div>
    </FormDialog>
  );
}
