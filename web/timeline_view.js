// The scrolling part of a room: messages in order, days, the line above what is new, and what is still
// on its way. Keeps the reader's place: at the bottom it follows, elsewhere nothing moves.
import { dayKey, dayText, h, icon, setChildren } from './dom.js';
import { compareIds } from './ids.js';
import { editorNode, messageNode, pendingNode } from './message_view.js';

const sameGroupMs = 5 * 60_000;
const loadAheadPx = 600;
const bottomSlackPx = 60;

export class TimelineView {
  // onOlder(), onBottom(): the reader is near the top, or sees the newest message
  constructor({ store, outbox, actions, onOlder, onBottom, onRetryLoad }) {
    Object.assign(this, { store, outbox, onOlder, onBottom });
    this.actions = { ...actions, edit: (message) => this.startEditing(message) };
    this.nodes = new Map();
    this.room = null;
    this.editing = null;
    this.list = h('ol', { class: 'timeline-list', role: 'log', 'aria-live': 'off', 'aria-label': 'Messages' });
    this.head = h('div', { class: 'timeline-head' });
    this.onRetryLoad = onRetryLoad;
    this.scroller = h('div', { class: 'timeline', tabindex: 0, 'aria-label': 'Messages' },
      h('div', { class: 'timeline-inner' }, this.head, this.list));
    this.jump = h('button', { type: 'button', class: 'jump', hidden: true, onclick: () => this.toBottom() },
      icon('down'), h('span', {}, 'Newest'));
    this.root = h('div', { class: 'timeline-box' }, this.scroller, this.jump);
    this.scroller.addEventListener('scroll', () => this.scrolled(), { passive: true });
    this.resizes = new ResizeObserver(() => this.sticky && this.scrollDown());
    this.resizes.observe(this.scroller);
  }

  show(room) {
    this.room = room;
    this.nodes.clear();
    this.editing = null;
    this.sticky = true;
    this.isFirstLook = true;
    this.newFrom = room.unread_count > 0 ? room.last_read_id ?? '0' : null;
    this.loadError = null;
    this.list.replaceChildren();
    this.render();
  }

  render() {
    const { room, store } = this;
    if (!room) return;
    const heightBefore = this.scroller.scrollHeight;
    const topBefore = this.scroller.scrollTop;
    const firstBefore = this.firstId;
    setChildren(this.list, this.items());
    this.firstId = room.timeline.messages[0]?.id;
    this.renderHead();
    if (this.isFirstLook && room.timeline.loaded) {
      this.isFirstLook = false;
      this.scrollToNew();
    }
    if (this.sticky) {
      this.scrollDown();
    } else if (firstBefore && this.firstId && compareIds(this.firstId, firstBefore) < 0) {
      this.scroller.scrollTop = topBefore + this.scroller.scrollHeight - heightBefore;
    }
    this.jump.hidden = this.sticky;
    this.jump.classList.toggle('unread', room.unread_count > 0);
    this.root.classList.toggle('is-empty', this.isEmpty());
    if (room.timeline.loaded && this.sticky && store.rooms.has(room.id)) this.onBottom();
  }

  // A room with something new opens where the new begins.
  scrollToNew() {
    const line = this.list.querySelector('.new-line');
    if (!line) return;
    this.scrollDown();
    const { scroller } = this;
    const above = line.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    if (above >= 0) return;
    this.sticky = false;
    scroller.scrollTop += above - scroller.clientHeight / 5;
  }

  isEmpty() {
    return this.room.timeline.loaded && !this.room.timeline.messages.length
      && !this.outbox.of(this.room.id).length;
  }

  renderHead() {
    const { timeline } = this.room;
    let node = null;
    if (this.loadError) {
      node = h('div', { class: 'notice', role: 'alert' }, `Messages could not be loaded. ${this.loadError} `,
        h('button', { type: 'button', class: 'link', onclick: () => this.onRetryLoad() }, 'Load again'));
    } else if (!timeline.loaded || timeline.hasOlder) {
      node = h('p', { class: 'muted loading' }, 'Loading…');
    } else if (this.isEmpty()) {
      node = h('div', { class: 'empty' }, h('p', {}, 'It is quiet here. Write the first message.'));
    } else {
      node = h('p', { class: 'muted beginning' },
        this.room.kind === 'dm' ? 'This is where your conversation begins.'
          : `This is where ${this.room.name} begins.`);
    }
    const key = node.textContent;
    if (this.headKey === key && this.head.firstChild) return;
    this.headKey = key;
    this.head.replaceChildren(node);
  }

  items() {
    const { room, store } = this;
    const items = [];
    const used = new Set();
    const put = (key, signature, make) => {
      const known = this.nodes.get(key);
      const node = known && known.signature === signature ? known.node : make();
      if (node !== known?.node) this.nodes.set(key, { signature, node });
      used.add(key);
      items.push(node);
    };
    let before = null;
    let isLineDrawn = false;
    for (const message of room.timeline.messages) {
      const isNewDay = !before || dayKey(before.created_at) !== dayKey(message.created_at);
      if (isNewDay) {
        const text = dayText(message.created_at);
        put(`day ${dayKey(message.created_at)}`, text, () => h('li', { class: 'day' }, h('span', {}, text)));
      }
      // Only where it is known that nothing new stands further up, in what is not loaded yet.
      const isFirstNew = !isLineDrawn && this.newFrom && message.user_id !== store.myId
        && compareIds(message.id, this.newFrom) > 0 && (before || !room.timeline.hasOlder);
      if (isFirstNew) {
        isLineDrawn = true;
        put('new', '', () => h('li', { class: 'new-line' }, h('span', {}, 'New')));
      }
      const isFollowing = !isNewDay && !isFirstNew && before.user_id === message.user_id && !message.reply_to
        && Date.parse(message.created_at) - Date.parse(before.created_at) < sameGroupMs;
      put(message.id, this.signature(message, isFollowing), () => this.messageItem(message, isFollowing));
      before = message;
    }
    this.putReceipt(put);
    for (const entry of this.outbox.of(room.id)) {
      const isFollowing = before?.user_id === store.myId;
      put(entry.nonce, `${entry.state}${isFollowing}`,
        () => pendingNode(entry, { store, isFollowing, actions: this.actions }));
      before = { user_id: store.myId };
    }
    for (const key of this.nodes.keys()) if (!used.has(key)) this.nodes.delete(key);
    return items;
  }

  signature(message, isFollowing) {
    const { store } = this;
    const people = message.reactions.map((r) => [r.emoji, r.count, [...r.users].map((id) => store.nameOf(id))]);
    const quote = message.reply_to && this.room.timeline.find(message.reply_to);
    return JSON.stringify([message.content, message.edited_at, message.deleted, people, isFollowing,
      store.nameOf(message.user_id), this.room.my_role, this.editing === message.id, quote?.content]);
  }

  messageItem(message, isFollowing) {
    const node = messageNode(message, {
      store: this.store, room: this.room, isFollowing, actions: this.actions,
    });
    if (this.editing !== message.id || message.deleted) return node;
    const editor = editorNode(message, {
      maxLength: this.actions.maxLength(),
      save: async (text) => {
        await this.actions.save(message, text);
        this.stopEditing();
      },
      cancel: () => this.stopEditing(),
    });
    node.querySelector('.content').replaceWith(editor);
    node.classList.add('editing');
    return node;
  }

  // Under the newest message, when it is mine: who has read it.
  putReceipt(put) {
    const { newest } = this.room.timeline;
    if (!newest || newest.user_id !== this.store.myId) return;
    const readers = [...this.room.receipts].filter(([, id]) => compareIds(id, newest.id) >= 0);
    if (!readers.length) return;
    const names = readers.map(([id]) => this.store.nameOf(id));
    const text = this.room.kind === 'dm' ? 'Seen'
      : names.length <= 3 ? `Seen by ${names.join(', ')}` : `Seen by ${names.length}`;
    put('receipt', text, () => h('li', { class: 'receipt' }, text));
  }

  startEditing(message) {
    this.editing = message.id;
    this.render();
    const area = this.list.querySelector('.editor textarea');
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
  }

  stopEditing() {
    this.editing = null;
    this.render();
    this.actions.focusComposer();
  }

  editLast() {
    const mine = this.room.timeline.messages.findLast(
      (m) => m.user_id === this.store.myId && !m.deleted && m.type === 'TEXT');
    if (mine) this.startEditing(mine);
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.sticky = scrollHeight - scrollTop - clientHeight < bottomSlackPx;
    this.jump.hidden = this.sticky;
    if (this.room?.timeline.loaded && this.sticky) this.onBottom();
    if (scrollTop < loadAheadPx) this.onOlder();
  }

  scrollDown() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  toBottom() {
    this.sticky = true;
    this.scrollDown();
  }
}
