// Messages that are on their way. Each has a nonce and stays here, and in localStorage, until the server
// has acknowledged it: a repeated nonce makes no second message, so repeating is always safe.
//
// One message of a room is under way at a time, so that they arrive in the order of writing.
import { isTemporary } from './errors.js';
import { uuidV7 } from './ids.js';

const triesBeforeAsking = 5;

export class Outbox {
  // onSent(answer): the server has it; onChange(roomId)
  constructor({ userId, socket, onSent, onChange }) {
    Object.assign(this, { socket, onSent, onChange });
    this.prefix = `parley.outbox.${userId}.`;
    this.entries = this.read();
    this.pumping = new Set();
  }

  of(roomId) {
    return this.entries.filter((e) => e.room_id === roomId && !e.shadowedBy);
  }

  add(roomId, content) {
    const entry = {
      nonce: uuidV7(), room_id: roomId, content, written_at: Date.now(), state: 'waiting', tried: false,
    };
    this.entries.push(entry);
    this.save(entry);
    this.onChange(roomId);
    this.pump(roomId);
  }

  retry(nonce) {
    const entry = this.entries.find((e) => e.nonce === nonce);
    if (!entry) return;
    if (entry.error?.code === 'nonce_conflict') {
      this.forget(entry);
      return this.add(entry.room_id, entry.content);
    }
    Object.assign(entry, { state: 'waiting', error: null, tries: 0 });
    this.save(entry);
    this.onChange(entry.room_id);
    this.pump(entry.room_id);
  }

  discard(nonce) {
    const entry = this.entries.find((e) => e.nonce === nonce);
    if (entry) this.forget(entry);
  }

  // After each reconnect.
  flush() {
    for (const roomId of new Set(this.entries.map((e) => e.room_id))) this.pump(roomId);
  }

  // An own message came by another way than its acknowledgement. If it looks like one that is in
  // doubt, that one is not shown beside it; the repeated nonce will tell.
  noticeOwn(message) {
    const entry = this.entries.find((e) => e.tried && !e.shadowedBy && e.room_id === message.room_id
      && e.state !== 'failed' && e.content === message.content);
    if (!entry) return;
    entry.shadowedBy = message.id;
    this.onChange(entry.room_id);
  }

  async pump(roomId) {
    if (this.pumping.has(roomId)) return;
    this.pumping.add(roomId);
    try {
      for (;;) {
        const entry = this.entries.find((e) => e.room_id === roomId && e.state !== 'failed');
        if (!entry || !this.socket.isOpen) return;
        await this.send(entry);
      }
    } finally {
      this.pumping.delete(roomId);
    }
  }

  async send(entry) {
    entry.state = 'sending';
    entry.tried = true;
    this.save(entry);
    this.onChange(entry.room_id);
    try {
      const answer = await this.socket.request({
        op: 'send', room_id: entry.room_id, nonce: entry.nonce, type: 'TEXT', content: entry.content,
      });
      this.forget(entry);
      this.onSent(answer);
    } catch (error) {
      entry.state = 'waiting';
      entry.tries = (entry.tries ?? 0) + 1;
      if (error.code === 'disconnected') {
        entry.tries = 0;
      } else if (isTemporary(error) && entry.tries < triesBeforeAsking) {
        await sleep(error.retryAfterMs || Math.random() * 500 * 2 ** entry.tries);
      } else {
        Object.assign(entry, { state: 'failed', error: { code: error.code, detail: error.detail } });
        delete entry.shadowedBy;
      }
      this.save(entry);
      this.onChange(entry.room_id);
    }
  }

  forget(entry) {
    this.entries = this.entries.filter((e) => e !== entry);
    localStorage.removeItem(this.prefix + entry.nonce);
    this.onChange(entry.room_id);
  }

  save(entry) {
    if (!this.entries.includes(entry)) return;
    try {
      localStorage.setItem(this.prefix + entry.nonce, JSON.stringify(entry));
    } catch {
      // The storage is full: the message lives as long as the page.
    }
  }

  read() {
    const entries = [];
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i);
      if (!key.startsWith(this.prefix)) continue;
      const { shadowedBy, ...entry } = JSON.parse(localStorage.getItem(key));
      entries.push(entry.state === 'failed' ? entry : { ...entry, state: 'waiting' });
    }
    return entries.sort((a, b) => a.written_at - b.written_at);
  }
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
