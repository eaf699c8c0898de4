// Who is in the open room, who is online, and what can be done about it.
import { avatar, h, iconButton, setChildren, shortTimeText } from './dom.js';

const roleText = { owner: 'Owner', admin: 'Admin' };

export class MembersView {
  constructor({ store, actions }) {
    Object.assign(this, { store, actions, nodes: new Map() });
    this.title = h('h2', {}, 'Members');
    this.list = h('ul', { class: 'member-list' });
    this.foot = h('div', { class: 'members-foot' });
    this.root = h('aside', { class: 'members', 'aria-label': 'Members' },
      h('header', { class: 'panel-head' }, this.title, h('span', { class: 'grow' }),
        iconButton('close', 'Close the member list', () => actions.close())),
      this.list, this.foot);
  }

  render(room) {
    const { store } = this;
    if (this.roomId !== room.id) this.nodes.clear();
    this.roomId = room.id;
    this.title.textContent = `Members · ${room.member_count}`;
    const rank = { owner: 0, admin: 1, member: 2 };
    const people = [...room.members].map(([id, m]) => ({ id, ...m, ...store.users.get(id), name: store.nameOf(id) }));
    people.sort((a, b) => Number(Boolean(b.online)) - Number(Boolean(a.online))
      || rank[a.role] - rank[b.role] || a.name.localeCompare(b.name));
    setChildren(this.list, people.map((person) => this.item(room, person)));
    const canAdd = room.kind !== 'dm' && ['owner', 'admin'].includes(room.my_role);
    this.foot.replaceChildren(...[
      room.membersCursor ? this.button('Show more', () => this.actions.more(room)) : null,
      canAdd ? this.button('Add somebody', () => this.actions.add(room)) : null,
      room.kind !== 'dm' ? this.button('Leave room', () => this.actions.leave(room), 'quiet') : null,
    ].filter(Boolean));
  }

  button(text, onclick, extra = '') {
    return h('button', { type: 'button', class: `button wide ${extra}`, onclick }, text);
  }

  item(room, person) {
    const isMe = person.id === this.store.myId;
    const seen = person.online ? 'Online'
      : person.last_seen_at ? `Last seen ${shortTimeText(person.last_seen_at)}` : 'Offline';
    const mayRemove = !isMe && room.kind !== 'dm'
      && (room.my_role === 'owner' || (room.my_role === 'admin' && person.role !== 'owner'));
    // A node is kept while nothing on it changes, so that the keyboard does not lose its place.
    const key = JSON.stringify([room.id, person.name, person.role, person.online, seen, mayRemove]);
    const known = this.nodes.get(person.id);
    if (known?.key === key) return known.node;
    const node = h('li', { class: person.online ? 'member' : 'member away' },
      avatar(person.id, person.name, { online: Boolean(person.online) }),
      h('div', { class: 'grow member-text' },
        h('span', { class: 'member-name' }, person.name, isMe ? h('span', { class: 'muted' }, ' (you)') : null,
          roleText[person.role] ? h('span', { class: 'tag' }, roleText[person.role]) : null),
        h('span', { class: 'hint' }, seen)),
      isMe || room.kind === 'dm' ? null : h('div', { class: 'member-actions' },
        h('button', {
          type: 'button', class: 'button small', onclick: () => this.actions.message(person.id),
          'aria-label': `Message ${person.name}`,
        }, 'Message'),
        mayRemove ? iconButton('close', `Remove ${person.name}`, () => this.actions.remove(room, person)) : null));
    this.nodes.set(person.id, { key, node });
    return node;
  }
}
