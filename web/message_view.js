// One message in the timeline: its text, its reactions, and the menu of what can be done with it.
import { avatar, fullTimeText, h, iconButton, linked, timeText } from './dom.js';
import { explain } from './errors.js';

export const quickReactions = ['👍', '❤️', '😂', '🎉', '😮', '😢'];

// isFollowing: the message before it is by the same person and recent, so the name is not repeated.
export function messageNode(message, { store, room, isFollowing, actions }) {
  const isMine = message.user_id === store.myId;
  const name = store.nameOf(message.user_id);
  const time = h('time', { datetime: message.created_at, title: fullTimeText(message.created_at) },
    timeText(message.created_at));
  const node = h('li', {
    class: `message${isFollowing ? ' following' : ''}${isMine ? ' mine' : ''}`, 'data-id': message.id,
  },
  h('div', { class: 'gutter' }, isFollowing ? time : avatar(message.user_id, name)),
  h('div', { class: 'body' },
    isFollowing ? null : h('div', { class: 'byline' }, h('strong', {}, name), time),
    quoted(message, store, room),
    content(message),
    message.deleted ? null : reactions(message, store, actions)),
  message.deleted ? null : menuButton(message, { isMine, room, actions, name }));
  return node;
}

function content(message) {
  if (message.deleted) return h('p', { class: 'content gone' }, 'Message deleted');
  if (message.type === 'MEDIA' && !message.content) return h('p', { class: 'content gone' }, 'Attachment');
  return h('p', { class: 'content' }, linked(message.content),
    message.edited_at ? h('span', { class: 'edited', title: fullTimeText(message.edited_at) }, ' (edited)') : null);
}

function quoted(message, store, room) {
  const target = message.reply_to && room.timeline.find(message.reply_to);
  if (!target) return null;
  return h('blockquote', { class: 'quote' }, h('strong', {}, store.nameOf(target.user_id)), ' ',
    target.deleted ? 'Message deleted' : target.content.slice(0, 140));
}

function reactions(message, store, actions) {
  if (!message.reactions.length) return null;
  return h('div', { class: 'reactions' }, message.reactions.map(({ emoji, count, users }) => {
    const isMine = users.has(store.myId);
    const names = [...users].map((id) => store.nameOf(id)).join(', ');
    return h('button', {
      type: 'button', class: 'reaction', 'aria-pressed': String(isMine), title: names,
      'aria-label': `${emoji}, ${count}: ${names}`, onclick: () => actions.react(message, emoji, !isMine),
    }, emoji, h('span', {}, String(count)));
  }));
}

function menuButton(message, { isMine, room, actions, name }) {
  const button = iconButton('more', `What to do with this message of ${name}`, () => toggle(), {
    'aria-haspopup': 'menu', 'aria-expanded': 'false',
  });
  const box = h('div', { class: 'message-actions' }, button);
  let menu = null;

  function close({ focus = false } = {}) {
    menu?.remove();
    menu = null;
    button.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', outside, true);
    if (focus) button.focus();
  }

  function outside(event) {
    if (!box.contains(event.target)) close();
  }

  function toggle() {
    if (menu) return close({ focus: true });
    const run = (action) => () => {
      close();
      action();
    };
    const item = (text, action, extra = '') => h('button', {
      type: 'button', role: 'menuitem', class: `menu-item ${extra}`, onclick: run(action),
    }, text);
    const mayDelete = isMine || ['owner', 'admin'].includes(room.my_role);
    menu = h('div', { class: 'menu', role: 'menu', onkeydown: keys },
      h('div', { class: 'menu-row' }, quickReactions.map((emoji) => h('button', {
        type: 'button', role: 'menuitem', class: 'emoji', 'aria-label': `React with ${emoji}`,
        onclick: run(() => actions.react(message, emoji, true)),
      }, emoji))),
      item('Copy text', () => actions.copy(message)),
      isMine && message.type === 'TEXT' ? item('Edit', () => actions.edit(message)) : null,
      mayDelete ? item('Delete', () => actions.remove(message), 'danger-text') : null);
    const isLow = button.getBoundingClientRect().bottom > innerHeight - 280;
    if (isLow) menu.classList.add('above');
    box.append(menu);
    button.setAttribute('aria-expanded', 'true');
    document.addEventListener('pointerdown', outside, true);
    menu.querySelector('button').focus();
  }

  function keys(event) {
    const items = [...menu.querySelectorAll('button')];
    const at = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (event.key === 'Escape') {
      event.stopPropagation();
      close({ focus: true });
    } else if (event.key === 'Tab') {
      close();
    } else if (step) {
      event.preventDefault();
      items[(at + step + items.length) % items.length].focus();
    }
  }

  return box;
}

// A message that the server has not acknowledged yet.
export function pendingNode(entry, { store, isFollowing, actions }) {
  const hasFailed = entry.state === 'failed';
  const status = hasFailed
    ? h('div', { class: 'pending-status failed', role: 'alert' },
      h('span', {}, `Not sent. ${explain(entry.error)}`),
      h('button', { type: 'button', class: 'link', onclick: () => actions.retry(entry) }, 'Try again'),
      h('button', { type: 'button', class: 'link', onclick: () => actions.discard(entry) }, 'Discard'))
    : h('div', { class: 'pending-status' }, entry.state === 'sending' ? 'Sending…' : 'Waiting for the connection…');
  return h('li', { class: `message pending mine${hasFailed ? ' failed' : ''}${isFollowing ? ' following' : ''}` },
    h('div', { class: 'gutter' }, isFollowing ? null : avatar(store.myId, actions.myName)),
    h('div', { class: 'body' },
      isFollowing ? null : h('div', { class: 'byline' }, h('strong', {}, actions.myName)),
      h('p', { class: 'content' }, linked(entry.content)), status));
}

// The place of the text while it is being edited.
export function editorNode(message, { maxLength, save, cancel }) {
  const error = h('p', { class: 'form-error', role: 'alert' });
  const area = h('textarea', { class: 'input', rows: Math.min(8, message.content.split('\n').length + 1),
    'aria-label': 'Edit message', value: message.content });
  async function submit() {
    const text = area.value.trim();
    if (!text || text === message.content) return cancel();
    if (Array.from(text).length > maxLength) {
      error.textContent = explain({ code: 'too_long' });
      return;
    }
    area.disabled = true;
    try {
      await save(text);
    } catch (failure) {
      error.textContent = explain(failure);
      area.disabled = false;
      area.focus();
    }
  }
  area.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') cancel();
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  return h('div', { class: 'editor' }, area, error,
    h('div', { class: 'editor-actions' },
      h('button', { type: 'button', class: 'button small', onclick: cancel }, 'Cancel'),
      h('button', { type: 'button', class: 'button small primary', onclick: submit }, 'Save')));
}
