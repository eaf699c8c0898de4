// One row of the timeline: a message, or one that is on its way.
import type { PendingMessage, Room, TimelineMessage } from '@parley/client';
import { Component, type ComponentChildren } from 'preact';
import { myId } from '@/app/client';
import { explain } from '@/app/errors';
import { clock, dayText, fullDate } from '@/i18n/dates';
import { t } from '@/i18n/i18n';
import { Attachment } from '@/media/attachment';
import { OutgoingCard } from '@/media/outgoing_card';
import { nameOf } from '@/people/title';
import { Avatar } from '@/ui/avatar';
import { IconButton } from '@/ui/button';
import { useTick } from '@/ui/hooks';
import { Icon } from '@/ui/icon';
import { Menu, type MenuEntry } from '@/ui/menu';
import { mayEdit, mayRemove, type ChatActions } from './actions';
import { QUICK } from './emoji';
import { Editor } from './editor';
import { Markdown, plain } from './markdown';
import { Reactions } from './reactions';
import { isMessage, type Row } from './rows';

interface RowProps {
  row: Row;
  room: Room;
  actions: ChatActions;
  version: number;
  active: boolean;
  editing: boolean;
  flash: boolean;
  /** It is about to be deleted. */
  hidden: boolean;
  quote: TimelineMessage | null;
  receipt: string;
  onEdited: () => void;
}

const COMPARED = ['row', 'version', 'active', 'editing', 'flash', 'hidden', 'quote', 'receipt'] as const;

export class MessageRow extends Component<RowProps> {
  #role: string | undefined;

  override shouldComponentUpdate(next: RowProps): boolean {
    return COMPARED.some((name) => next[name] !== this.props[name]) || this.#role !== next.room.info?.my_role;
  }

  render(props: RowProps) {
    const { row, receipt } = props;
    this.#role = props.room.info?.my_role;
    const { entry } = row;
    return (
      <>
        {row.day && <div class="day" role="separator"><span>{dayText(entry.created_at)}</span></div>}
        {row.isNew && <div class="new-line" role="separator"><span>{t('new')}</span></div>}
        {'upload' in entry ? (
          <Shell row={row} class="pending mine"><OutgoingCard file={entry} /></Shell>
        ) : isMessage(entry) ? <Message {...props} message={entry} /> : <Pending {...props} pending={entry} />}
        {receipt && <p class="receipt">{receipt}</p>}
      </>
    );
  }
}

function Shell({ row, class: more = '', id, children, active = false }:
  { row: Row; class?: string; id?: string; children: ComponentChildren; active?: boolean }) {
  const { entry, following } = row;
  const mine = entry.user_id === myId();
  const name = nameOf(entry.user_id);
  return (
    <article
      class={`message ${following ? 'is-following' : ''} ${mine ? 'mine' : ''} ${more}`} data-id={id}
      tabIndex={active ? 0 : -1} aria-label={t('messageFrom', { name, time: clock(entry.created_at) })}
    >
      <div class="gutter">
        {following ? <time class="side-time" dateTime={entry.created_at} aria-hidden="true">{clock(entry.created_at)}</time>
          : <Avatar id={entry.user_id} name={name} />}
      </div>
      <div class="body">
        {!following && (
          <header class="byline">
            <strong dir="auto" title={name}>{name}</strong>
            <time dateTime={entry.created_at} title={fullDate(entry.created_at)}>{clock(entry.created_at)}</time>
          </header>
        )}
        {children}
      </div>
    </article>
  );
}

function Message({ row, room, actions, active, editing, flash, hidden, quote, message, onEdited }: RowProps & { message: TimelineMessage }) {
  if (message.deleted || hidden) {
    return (
      <Shell row={row} class="is-deleted" id={message.id} active={active}>
        <p class="content deleted"><Icon name="trash" size={15} /> {t('messageDeleted')}</p>
      </Shell>
    );
  }
  const edited = message.edited_at
    && <span class="edited" title={fullDate(message.edited_at)}> {t('edited')}</span>;
  return (
    <Shell row={row} class={`${flash ? 'is-flashed' : ''} ${editing ? 'is-editing' : ''}`} id={message.id} active={active}>
      {message.reply_to && <Quote id={message.reply_to} quote={quote} actions={actions} />}
      {editing ? <Editor room={room} message={message} onDone={onEdited} />
        : message.content && (
          <div class={`content ${isEmojiOnly(message.content) ? 'is-large' : ''}`} dir="auto">
            <Markdown text={message.content} tail={edited} />
          </div>
        )}
      {message.media_id && <Attachment message={message} />}
      <Reactions message={message} actions={actions} />
      {!editing && <Actions room={room} message={message} actions={actions} active={active} />}
    </Shell>
  );
}

const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}|\p{Emoji_Component}|\s){1,24}$/u;

function isEmojiOnly(text: string): boolean {
  return text.length <= 24 && EMOJI_ONLY.test(text) && /\p{Extended_Pictographic}/u.test(text);
}

function Quote({ id, quote, actions }: { id: string; quote: TimelineMessage | null; actions: ChatActions }) {
  const text = !quote ? t('earlierMessage') : quote.deleted ? t('messageDeleted')
    : plain(quote.content) || quote.media?.filename || t('attachment');
  return (
    <button type="button" class="quote" tabIndex={-1} onClick={() => actions.jump(id)}>
      <Icon name="reply" size={14} />
      {quote && <b dir="auto">{nameOf(quote.user_id)}</b>}
      <span class="ellipsis" dir="auto">{text}</span>
    </button>
  );
}

function Actions({ room, message, actions, active }:
  { room: Room; message: TimelineMessage; actions: ChatActions; active: boolean }) {
  const entries: MenuEntry[] = [
    { icon: 'reply', label: t('reply'), run: () => actions.reply(message) },
  ];
  if (message.content) entries.push({ icon: 'copy', label: t('copyText'), run: () => actions.copyText(message) });
  if (mayEdit(message)) entries.push({ icon: 'edit', label: t('edit'), run: () => actions.edit(message) });
  if (mayRemove(room, message)) entries.push({ icon: 'trash', label: t('delete'), danger: true, run: () => actions.remove(message) });
  const tabIndex = active ? 0 : -1;
  return (
    <div class="message-actions">
      <IconButton icon="react" label={t('react')} class="act-react" tabIndex={tabIndex}
        onClick={(event) => actions.pick(message, event.currentTarget)} />
      <IconButton icon="reply" label={t('reply')} class="act-reply" tabIndex={tabIndex} onClick={() => actions.reply(message)} />
      <Menu
        icon="more" label={t('messageActions')} entries={entries} tabIndex={tabIndex}
        head={(close) => (
          <div class="menu-reactions" role="group" aria-label={t('react')}>
            {QUICK.map((emoji) => (
              <button key={emoji} type="button" role="menuitem" class="emoji" aria-label={t('reactWith', { emoji })} onClick={() => {
                close();
                actions.react(message, emoji);
              }}>{emoji}</button>
            ))}
          </div>
        )}
      />
    </div>
  );
}

function Pending({ row, actions, pending, active, quote }: RowProps & { pending: PendingMessage }) {
  const failed = pending.state === 'failed';
  return (
    <Shell row={row} class={`pending mine ${failed ? 'failed' : ''}`} active={active}>
      {pending.reply_to && <Quote id={pending.reply_to} quote={quote} actions={actions} />}
      {pending.content && <div class="content" dir="auto"><Markdown text={pending.content} /></div>}
      {failed ? (
        <p class="pending-status failed" role="alert">
          <Icon name="alert" size={15} /> {t('notSent')} {explain(pending.error)}{' '}
          <button type="button" class="link" onClick={() => actions.retry(pending)}>{t('tryAgain')}</button>{' '}
          <button type="button" class="link" onClick={() => actions.discard(pending)}>{t('discard')}</button>
        </p>
      ) : <PendingStatus pending={pending} actions={actions} />}
    </Shell>
  );
}

function PendingStatus({ pending, actions }: { pending: PendingMessage; actions: ChatActions }) {
  const { state, retry_at: retryAt } = pending;
  useTick(retryAt !== undefined);
  if (state === 'held') {
    return (
      <p class="pending-status is-held"><Icon name="shield" size={15} /> {t('held')}{' '}
        <button type="button" class="link" onClick={() => actions.discard(pending)}>{t('dismiss')}</button></p>
    );
  }
  const left = retryAt ? Math.ceil((retryAt - Date.now()) / 1000) : 0;
  const text = left > 1 ? t('sendsIn', { n: left }) : state === 'sending' ? t('sending') : t('waitsForConnection');
  return <p class={`pending-status ${state === 'sending' ? 'is-sending' : ''}`}><Icon name="clock" size={14} /> {text}</p>;
}
