// Keeps the store true to the server: subscribes to every room of mine, fills gaps, resumes after a
// reconnect, loads history and members, and carries out what the user does.
import { isTemporary } from './errors.js';
import { compareIds } from './ids.js';

const syncsAtOnce = 6;
const roomsReloadMs = 60_000;
const typingEveryMs = 3500; // the server tells the room at most once in 3 s
const dmNamesAtOnce = 4;

export class Live {
  constructor({ api, store, socket, outbox }) {
    Object.assign(this, { api, store, socket, outbox });
    this.queue = [];
    this.syncing = new Set();
    this.generation = 0;
    this.typingSentAt = new Map();
    this.onForeignMessage = () => {};
    this.onRooms = () => {};
    this.reloadTimer = setInterval(() => document.hidden || this.reloadRooms().catch(() => {}), roomsReloadMs);
    this.onVisible = () => document.hidden || this.reloadRooms().catch(() => {});
    document.addEventListener('visibilitychange', this.onVisible);
  }

  stop() {
    clearInterval(this.reloadTimer);
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  // --- connection
  connected() {
    this.generation += 1;
    this.queue = [];
    this.syncing.clear();
    for (const room of this.store.rooms.values()) {
      room.isLive = false;
      room.membersCursor = undefined; // who is online has changed unseen
    }
    this.outbox.flush();
    for (const room of this.store.sortedRooms()) this.enqueue(room);
    this.reloadRooms().catch(() => {});
  }

  async reloadRooms() {
    const before = new Set(this.store.rooms.keys());
    const list = await this.api.myRooms();
    // A room that was created or joined meanwhile is not in the list yet.
    const added = [...this.store.rooms.values()].filter((r) => !before.has(r.id));
    const missing = added.filter((r) => !list.some((item) => item.id === r.id));
    this.store.mergeRooms([...list, ...missing]);
    for (const room of this.store.sortedRooms()) if (!room.isLive) this.enqueue(room);
    this.onRooms();
    this.loadDmNames();
  }

  async loadDmNames() {
    const open = [...this.store.rooms.values()].filter((room) =>
      room.kind === 'dm' && room.membersCursor === undefined);
    const next = async () => {
      for (let room = open.pop(); room; room = open.pop()) await this.loadMembers(room).catch(() => {});
    };
    await Promise.all(Array.from({ length: dmNamesAtOnce }, next));
  }

  receive(frame) {
    const room = this.store.rooms.get(frame.room_id);
    if (frame.op === 'presence') return this.store.setPresence(frame);
    if (!room) {
      // Somebody made a room with me in it, or added me to one.
      const isNews = frame.op === 'room' || (frame.op === 'member' && frame.user_id === this.store.myId);
      if (isNews) this.reloadRooms().catch(() => {});
      return;
    }
    if (frame.op === 'typing') return this.store.setTyping(room, frame.user_id);
    if (frame.op === 'receipt') return this.store.setReceipt(room, frame);
    if (frame.id) this.event(room, frame);
  }

  // --- the log of one room
  event(room, event) {
    // While a page of missed events is awaited, what comes is in that page too.
    if (!room.isLive || (room.lastEventId && compareIds(event.id, room.lastEventId) <= 0)) return;
    if (event.prev_id && room.lastEventId && event.prev_id !== room.lastEventId) {
      room.isLive = false;
      return this.enqueue(room, { first: true });
    }
    this.apply(room, event, { isLive: true });
  }

  apply(room, event, { isLive }) {
    room.lastEventId = event.id;
    if (event.op === 'message' && event.message.user_id === this.store.myId) {
      this.outbox.noticeOwn(event.message);
    }
    this.store.apply(room, event);
    if (event.op === 'message' && isLive && event.message.user_id !== this.store.myId) {
      this.onForeignMessage(room, event.message);
    }
    if (event.op === 'member' && event.action === 'joined' && !this.store.users.has(event.user_id)) {
      this.reloadMembersSoon(room);
    }
  }

  sent(answer) {
    const room = this.store.rooms.get(answer.room_id);
    if (!room) return;
    const { message, prev_id: prevId } = answer;
    this.store.addMessage(room, message);
    if (!room.isLive || (room.lastEventId && compareIds(message.id, room.lastEventId) <= 0)) return;
    if (prevId && room.lastEventId && prevId !== room.lastEventId) {
      room.isLive = false;
      this.enqueue(room, { first: true });
    } else {
      room.lastEventId = message.id;
    }
  }

  enqueue(room, { first = false } = {}) {
    if (!this.socket.isOpen || this.syncing.has(room.id)) return;
    this.queue = this.queue.filter((r) => r.id !== room.id);
    first ? this.queue.unshift(room) : this.queue.push(room);
    this.work();
  }

  work() {
    while (this.queue.length && this.syncing.size < syncsAtOnce) {
      const room = this.queue.shift();
      const { generation } = this;
      this.syncing.add(room.id);
      this.subscribe(room)
        .catch((error) => this.subscribeFailed(room, error))
        .finally(() => {
          if (generation !== this.generation) return;
          this.syncing.delete(room.id);
          this.work();
        });
    }
  }

  async subscribe(room) {
    for (;;) {
      const since = room.lastEventId;
      const answer = await this.socket.request({
        op: 'subscribe', room_id: room.id, ...(since ? { since } : {}),
      });
      for (const event of answer.events) {
        if (!room.lastEventId || compareIds(event.id, room.lastEventId) > 0) {
          this.apply(room, event, { isLive: false });
        }
      }
      if (!this.store.rooms.has(room.id)) return;
      if (answer.more && answer.events.length) continue;
      if (!since) room.lastEventId = answer.last_id;
      room.isLive = true;
      // What was loaded before the subscription began may lack what came in between.
      if (!since && room.timeline.loaded) this.loadNewest(room).catch(() => {});
      return;
    }
  }

  async subscribeFailed(room, error) {
    if (error.code === 'disconnected' || !this.store.rooms.has(room.id)) return;
    if (error.code === 'unknown_room' || error.code === 'not_a_member') {
      return this.store.removeRoom(room.id);
    }
    if (!isTemporary(error)) throw error;
    const { generation } = this;
    const wait = error.retryAfterMs || 500 + Math.random() * 2000;
    setTimeout(() => generation === this.generation && this.enqueue(room), wait);
  }

  // --- reading
  async open(room) {
    if (!room.isLive) this.enqueue(room, { first: true });
    const members = room.membersCursor === undefined ? this.loadMembers(room) : null;
    if (!room.timeline.loaded) await this.loadNewest(room);
    await members;
  }

  loadNewest(room) {
    return this.load(room, null, { older: false });
  }

  async loadOlder(room) {
    if (!room.timeline.loaded || !room.timeline.hasOlder || room.loadingOlder) return;
    room.loadingOlder = true;
    try {
      await this.load(room, room.timeline.olderCursor, { older: true });
    } finally {
      room.loadingOlder = false;
    }
  }

  async load(room, before, options) {
    this.store.beginLoading(room);
    let page = null;
    try {
      page = await this.api.history(room.id, before);
    } finally {
      this.store.endLoading(room, page, options);
    }
  }

  async loadMembers(room) {
    this.store.mergeMembers(room, await this.api.members(room.id, room.membersCursor ?? null));
  }

  reloadMembersSoon(room) {
    clearTimeout(room.membersTimer);
    room.membersTimer = setTimeout(() => {
      // Names are wanted where somebody looks; a large room's list is paged by hand.
      if (room.membersCursor === undefined) return;
      room.membersCursor = null;
      this.loadMembers(room).catch(() => {});
    }, 400);
  }

  markRead(room, messageId) {
    if (this.socket.isOpen && this.store.markRead(room, messageId)) {
      this.socket.post({ op: 'read', room_id: room.id, message_id: messageId });
    }
  }

  // --- doing
  send(room, content) {
    this.outbox.add(room.id, content);
  }

  typing(room) {
    const now = Date.now();
    if (now - (this.typingSentAt.get(room.id) ?? 0) < typingEveryMs) return;
    this.typingSentAt.set(room.id, now);
    this.socket.post({ op: 'typing', room_id: room.id });
  }

  edit(message, content) {
    return this.socket.request({
      op: 'edit', room_id: message.room_id, message_id: message.id, content,
    });
  }

  remove(message) {
    return this.socket.request({ op: 'delete', room_id: message.room_id, message_id: message.id });
  }

  react(message, emoji, added) {
    return this.socket.request({
      op: 'react', room_id: message.room_id, message_id: message.id, emoji, added,
    });
  }

  async createRoom(fields) {
    return this.enter(await this.api.createRoom(fields));
  }

  async join(roomId) {
    return this.enter(await this.api.join(roomId));
  }

  async leave(room) {
    await this.api.leave(room.id);
    this.store.removeRoom(room.id);
  }

  enter(item) {
    const room = this.store.addRoom(item);
    this.store.onChange('rooms');
    if (!room.isLive) this.enqueue(room, { first: true });
    if (room.kind === 'dm') this.loadDmNames();
    return room;
  }
}
