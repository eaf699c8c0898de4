// The list of my rooms, and who I am.
import { avatar, h, icon, iconButton, setChildren, shortTimeText } from './dom.js';
import { toast } from './dialogs.js';

function previewOf(room, store) {
  const last = room.last_message;
  if (!last) return room.topic || 'No messages yet';
  if (last.deleted) return 'Message deleted';
  const text = last.content || 'Attachment';
  if (last.user_id === store.myId) return `You: ${text}`;
  const isKnown = room.kind !== 'dm' && store.users.has(last.user_id);
  return isKnown ? `${store.nameOf(last.user_id)}: ${text}` : text;
}

export class RoomsView {
  constructor({ store, user, onCreate, onDirectory, onLogOut }) {
    Object.assign(this, { store, nodes: new Map() });
    this.list = h('ul', { class: 'room-list' });
    this.empty = h('div', { class: 'empty' },
      h('p', {}, 'You are in no room yet.'),
      h('button', { class: 'button primary', type: 'button', onclick: onDirectory }, 'Find a public room'),
      h('button', { class: 'button', type: 'button', onclick: onCreate }, 'Make a new room'));
    const copyId = async () => {
      try {
        await navigator.clipboard.writeText(user.id);
        toast('Your user id was copied.');
      } catch {
        toast(`Your user id is ${user.id}`);
      }
    };
    this.root = h('nav', { class: 'sidebar', 'aria-label': 'Rooms' },
      h('header', { class: 'sidebar-head' },
        h('img', { src: '/favicon.svg', alt: '', width: 24, height: 24 }), h('h1', {}, 'Parley'),
        h('span', { class: 'grow' }),
        iconButton('search', 'Find a public room', onDirectory), iconButton('plus', 'New room', onCreate)),
      h('div', { class: 'sidebar-scroll' }, this.list, this.empty),
      h('footer', { class: 'me' }, avatar(user.id, user.username, { online: true }),
        h('div', { class: 'grow me-text' }, h('strong', {}, user.display_name || user.username),
          h('button', { type: 'button', class: 'link hint', title: user.id, onclick: copyId },
            'Copy my user id')),
        iconButton('exit', 'Log out', onLogOut)));
  }

  render(selectedId) {
    const rooms = this.store.sortedRooms();
    this.empty.hidden = rooms.length > 0 || !this.loaded;
    setChildren(this.list, rooms.map((room) => this.node(room, room.id === selectedId)));
    for (const id of this.nodes.keys()) if (!this.store.rooms.has(id)) this.nodes.delete(id);
  }

  node(room, isSelected) {
    const { store } = this;
    const title = store.roomTitle(room);
    const last = room.last_message;
    const preview = previewOf(room, store);
    const partner = room.kind === 'dm' ? store.dmPartner(room) : null;
    const online = partner ? Boolean(store.users.get(partner)?.online) : undefined;
    const unread = room.unread_count > 999 ? '999+' : String(room.unread_count);
    const key = JSON.stringify([title, last?.id, preview, online, unread, isSelected, room.visibility]);
    const known = this.nodes.get(room.id);
    if (known?.key === key) return known.node;
    const link = h('a', {
      class: 'room', href: `#/r/${room.id}`, 'aria-current': isSelected ? 'page' : null,
    },
    partner ? avatar(partner, title, { online })
      : h('span', { class: 'room-icon' }, icon(room.visibility === 'private' ? 'lock' : 'hash')),
    h('span', { class: 'room-text' },
      h('span', { class: 'room-line' }, h('span', { class: 'room-name' }, title),
        last ? h('time', { datetime: last.created_at }, shortTimeText(last.created_at)) : null),
      h('span', { class: 'room-line' }, h('span', { class: 'room-preview' }, preview),
        room.unread_count ? h('span', { class: 'badge', 'aria-label': `${unread} unread` }, unread) : null)));
    const node = known?.node ?? h('li', {});
    node.className = room.unread_count ? 'has-unread' : '';
    const hadFocus = node.contains(document.activeElement);
    node.replaceChildren(link);
    if (hadFocus) link.focus();
    this.nodes.set(room.id, { key, node });
    return node;
  }
}
