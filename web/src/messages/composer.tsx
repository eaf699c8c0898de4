// The place to write: text, emoji, files, an answer to a message; drafts stay.
import type { Room, TimelineMessage } from '@parley/client';
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { explain } from '@/app/errors';
import { i18n, t } from '@/i18n/i18n';
import { outgoing, stage, type Staged } from '@/media/outgoing';
import { StagedFiles } from '@/media/staged_files';
import { nameOf } from '@/people/title';
import { seconds } from '@/rooms/room_dialogs';
import { IconButton } from '@/ui/button';
import { Icon } from '@/ui/icon';
import { toast } from '@/ui/overlay';
import { drafts } from './drafts';
import { openPicker } from './emoji';
import { CONTENT_MAX, COUNT_FROM, FILES_MAX, lengthOf } from './limits';
import { plain } from './markdown';
import { Suggestions, type SuggestionsHandle } from './suggestions';

export interface ComposerHandle {
  focus(): void;
  attach(files: Iterable<File>): void;
}

interface ComposerProps {
  handle: { current: ComposerHandle | null };
  room: Room;
  title: string;
  reply: TimelineMessage | null;
  onReply: (message: TimelineMessage | null) => void;
  onSent: () => void;
  onEditLast: () => void;
}

const HEIGHT_MAX = 220;

export function Composer({ handle, room, title, reply, onReply, onSent, onEditLast }: ComposerProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const suggestions = useRef<SuggestionsHandle>(null);
  const [text, setText] = useState(() => drafts.get(room.id));
  const [files, setFiles] = useState<Staged[]>([]);
  const length = text.length < COUNT_FROM / 2 ? text.length : lengthOf(text.trim());
  const tooLong = length > CONTENT_MAX;
  const canSend = !tooLong && (text.trim() !== '' || files.length > 0);

  const attach = (added: Iterable<File>) => {
    const list = [...added].map(stage);
    if (files.length + list.length > FILES_MAX) toast(t('tooManyFiles', { n: FILES_MAX }));
    setFiles([...files, ...list].slice(0, FILES_MAX));
    area.current?.focus();
  };
  useImperativeHandle(handle, () => ({ focus: () => area.current?.focus(), attach }), [files]);
  useEffect(() => {
    if (matchMedia('(hover: hover)').matches) area.current?.focus();
  }, []);
  useLayoutEffect(() => {
    const { style } = area.current!;
    style.height = 'auto';
    style.height = `${Math.min(area.current!.scrollHeight, HEIGHT_MAX)}px`;
  }, [text]);

  const change = (value: string) => {
    setText(value);
    drafts.set(room.id, value);
    if (value.trim()) room.sendTyping();
  };
  const submit = () => {
    if (!canSend) return;
    const content = text.trim();
    try {
      const answer = reply ? { reply_to: reply.id } : {};
      if (files.length) outgoing.send(room, files, content, answer.reply_to);
      else room.send({ content, ...answer });
    } catch (error) {
      return toast(explain(error));
    }
    setFiles([]);
    setText('');
    drafts.set(room.id, '');
    onSent();
    area.current?.focus();
  };
  const insert = (value: string, from = area.current!.selectionStart, to = area.current!.selectionEnd) => {
    const field = area.current!;
    field.focus();
    field.setRangeText(value, from, to, 'end');
    change(field.value);
  };
  const wrap = (mark: string) => {
    const { selectionStart: from, selectionEnd: to, value } = area.current!;
    insert(`${mark}${value.slice(from, to)}${mark}`, from, to);
    area.current!.setSelectionRange(from + mark.length, to + mark.length);
  };
  const keys = (event: KeyboardEvent) => {
    if (suggestions.current?.key(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === 'ArrowUp' && !text && !event.shiftKey) {
      event.preventDefault();
      onEditLast();
    } else if (event.key === 'Escape' && (reply || files.length)) {
      event.stopPropagation();
      onReply(null);
      setFiles([]);
    } else if ((event.ctrlKey || event.metaKey) && (event.key === 'b' || event.key === 'i')) {
      event.preventDefault();
      wrap(event.key === 'b' ? '**' : '*');
    }
  };
  const paste = (event: ClipboardEvent) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!pasted.length) return;
    event.preventDefault();
    attach(pasted);
  };
  const slow = room.info?.slow_mode_seconds ?? 0;
  return (
    <form class="composer-box" onSubmit={(event) => {
      event.preventDefault();
      submit();
    }}>
      {reply && (
        <div class="replying">
          <Icon name="reply" size={16} />
          <span class="grow ellipsis">{t('replyingTo', { name: nameOf(reply.user_id) })} <span class="hint" dir="auto">{plain(reply.content)}</span></span>
          <IconButton icon="close" label={t('noReply')} onClick={() => onReply(null)} />
        </div>
      )}
      {files.length > 0 && <StagedFiles files={files} onChange={setFiles} />}
      <Suggestions handle={suggestions} room={room} area={area} text={text} onPick={insert} />
      <div class={`composer ${tooLong ? 'is-too-long' : ''}`}>
        <IconButton icon="attach" label={t('attachFiles')} onClick={() => picker.current!.click()} />
        <input ref={picker} type="file" multiple hidden aria-label={t('attachFiles')} tabIndex={-1} onChange={(event) => {
          attach(event.currentTarget.files ?? []);
          event.currentTarget.value = '';
        }} />
        <textarea
          ref={area} class="composer-input" rows={1} aria-label={t('message')} placeholder={t('messageTo', { name: title })} dir="auto"
          value={text} enterkeyhint="send" onInput={(event) => change(event.currentTarget.value)} onKeyDown={keys} onPaste={paste}
        />
        {length >= COUNT_FROM && <span class={`count ${tooLong ? 'too-long' : ''}`}>{i18n.number(length)} / {i18n.number(CONTENT_MAX)}</span>}
        <IconButton icon="smile" label={t('emojiPicker')} onClick={(event) => {
          openPicker(event.currentTarget, (emoji) => insert(emoji));
        }} />
        <button type="submit" class="send" aria-label={t('send')} title={t('send')} disabled={!canSend}><Icon name="send" /></button>
      </div>
      {slow > 0 && <p class="slow hint"><Icon name="clock" size={13} /> {t('slowModeOn', { time: seconds(slow) })}</p>}
    </form>
  );
}
