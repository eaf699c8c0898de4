// Questions in a window of their own, on <dialog>, which keeps the focus and closes on Escape.
import { h, iconButton, icon } from './dom.js';
import { explain } from './errors.js';

function open(title, ...content) {
  const dialog = h('dialog', { class: 'dialog', 'aria-label': title, onclose: () => dialog.remove() },
    h('header', { class: 'dialog-head' }, h('h2', {}, title), iconButton('close', 'Close', () => dialog.close())),
    ...content);
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// Runs `work` with the button switched off; shows what went wrong and what to do.
async function attempt(button, errorLine, work) {
  button.disabled = true;
  errorLine.textContent = '';
  try {
    await work();
  } catch (error) {
    errorLine.textContent = explain(error);
  } finally {
    button.disabled = false;
  }
}

export function createRoomDialog({ create }) {
  const error = h('p', { class: 'form-error', role: 'alert' });
  const submit = h('button', { class: 'button primary', type: 'submit' }, 'Create room');
  const choice = (value, label, hint, checked) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name: 'visibility', value, checked }),
    h('span', {}, h('strong', {}, label), h('span', { class: 'hint' }, hint)));
  const form = h('form', {
    class: 'form',
    onsubmit: (event) => {
      event.preventDefault();
      const { name, topic, visibility } = form.elements;
      attempt(submit, error, async () => {
        await create({
          kind: 'group', name: name.value.trim(), topic: topic.value.trim(), visibility: visibility.value,
        });
        dialog.close();
      });
    },
  },
  h('div', { class: 'field' }, h('label', { for: 'room-name' }, 'Name'),
    h('input', { id: 'room-name', name: 'name', required: true, minlength: 3, maxlength: 50, autocomplete: 'off' })),
  h('div', { class: 'field' }, h('label', { for: 'room-topic' }, 'Topic ', h('span', { class: 'muted' }, '(optional)')),
    h('input', { id: 'room-topic', name: 'topic', maxlength: 250, autocomplete: 'off' })),
  h('fieldset', { class: 'choices' }, h('legend', {}, 'Who can join'),
    choice('public', 'Everybody', 'Found in the directory, open to all', true),
    choice('private', 'Only people you add', 'Nobody else knows that it exists', false)),
  error, submit);
  const dialog = open('New room', form);
}

export function directoryDialog({ search, join, isMine, enter }) {
  const error = h('p', { class: 'form-error', role: 'alert' });
  const list = h('ul', { class: 'directory' });
  const input = h('input', {
    type: 'search', 'aria-label': 'Search public rooms', placeholder: 'Name or topic', autocomplete: 'off',
  });
  let turn = 0;
  let timer = 0;

  async function load(cursor = null) {
    const mine = ++turn;
    error.textContent = '';
    try {
      const page = await search(input.value.trim(), cursor);
      if (mine !== turn) return;
      list.querySelector('.load-more')?.remove();
      const items = page.rooms.map(item);
      cursor ? list.append(...items) : list.replaceChildren(...items);
      if (page.next) {
        list.append(h('li', { class: 'load-more' },
          h('button', { class: 'button', type: 'button', onclick: () => load(page.next) }, 'Show more')));
      }
      if (!cursor && items.length === 0) {
        list.append(h('li', { class: 'empty' }, input.value.trim()
          ? 'No public room fits. Try another word, or make a new room.'
          : 'There are no public rooms yet. Make the first one.'));
      }
    } catch (failure) {
      if (mine === turn) error.textContent = explain(failure);
    }
  }

  function item(room) {
    const button = h('button', { class: 'button', type: 'button' }, isMine(room.id) ? 'Open' : 'Join');
    button.addEventListener('click', () => attempt(button, error, async () => {
      isMine(room.id) ? enter(room.id) : await join(room.id);
      dialog.close();
    }));
    const count = room.member_count === 1 ? '1 member' : `${room.member_count} members`;
    return h('li', {}, h('span', { class: 'directory-icon' }, icon('hash')),
      h('div', { class: 'grow' }, h('strong', {}, room.name),
        h('p', { class: 'hint' }, room.topic ? `${count} · ${room.topic}` : count)), button);
  }

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(load, 200);
  });
  const dialog = open('Public rooms', h('div', { class: 'field' }, input), error, list);
  load();
}

export function addMemberDialog({ add }) {
  const error = h('p', { class: 'form-error', role: 'alert' });
  const submit = h('button', { class: 'button primary', type: 'submit' }, 'Add');
  const form = h('form', {
    class: 'form',
    onsubmit: (event) => {
      event.preventDefault();
      attempt(submit, error, async () => {
        await add(form.elements.user.value.trim());
        dialog.close();
      });
    },
  },
  h('div', { class: 'field' }, h('label', { for: 'add-user' }, 'User id'),
    h('input', {
      id: 'add-user', name: 'user', required: true, inputmode: 'numeric', pattern: '[0-9]+', autocomplete: 'off',
      'aria-describedby': 'add-user-hint',
    }),
    h('p', { class: 'hint', id: 'add-user-hint' },
      'Everybody finds their own id under their name, at the foot of the room list.')),
  error, submit);
  const dialog = open('Add somebody', form);
}

export function confirmDialog({ title, text, action, run }) {
  const error = h('p', { class: 'form-error', role: 'alert' });
  const button = h('button', { class: 'button danger', type: 'button' }, action);
  button.addEventListener('click', () => attempt(button, error, async () => {
    await run();
    dialog.close();
  }));
  const dialog = open(title, h('p', {}, text), error,
    h('div', { class: 'dialog-actions' },
      h('button', { class: 'button', type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Cancel'),
      button));
}

let toastTimer = 0;
export function toast(text) {
  document.querySelector('.toast')?.remove();
  clearTimeout(toastTimer);
  const node = h('div', { class: 'toast', role: 'status' }, text);
  document.body.append(node);
  toastTimer = setTimeout(() => node.remove(), 5000);
}
