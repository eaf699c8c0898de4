// What the client does about a server that leaves events out, sends them twice or late: one that is played here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParleyClient, memoryStorage } from '../dist/index.js';
import { until, watch } from './people.mjs';

const message = (id, user_id = '9') => ({
  id, room_id: '5', user_id, type: 'TEXT', content: `text ${id}`, created_at: '2026-01-02T03:04:05.678Z',
});
const event = (id, prev_id, user_id) => ({ op: 'message', room_id: '5', id, prev_id, message: message(id, user_id) });

class PlayedServer {
  constructor(log) {
    this.log = log;
    this.frames = [];
    const played = this;
    this.socket = class {
      constructor() {
        played.ws = this;
        const welcome = { op: 'welcome', user_id: '7', connection_id: 'c', heartbeat_ms: 1e6, limits: {} };
        queueMicrotask(() => played.say(welcome));
      }

      send(text) { played.hear(JSON.parse(text)); }
      close() {}
    };
  }

  say(frame) { this.ws.onmessage?.({ data: JSON.stringify(frame) }); }

  hear(frame) {
    this.frames.push(frame);
    if (frame.op === 'subscribe' && !this.silent) this.subscribed(frame);
  }

  subscribed({ ref, since }) {
    const events = since ? this.log.filter(({ id }) => Number(id) > Number(since)) : [];
    const last_id = this.log.at(-1).id;
    this.say({ op: 'subscribed', ref, room_id: '5', last_id, recovered: !!since, events, more: false });
  }

  fetch = async (url) => Response.json(String(url).includes('/messages')
    ? { messages: this.log.map((each) => each.message).reverse(), next: null } : { rooms: this.rooms, next: null });

  get subscribes() { return this.frames.filter(({ op }) => op === 'subscribe').map(({ since }) => since ?? null); }
}

async function open(t) {
  const server = new PlayedServer([event('100', null), event('101', '100')]);
  const storage = memoryStorage();
  const session = { user: { id: '7' }, access_token: 'T', refresh_token: 'R', expires_at: 9e15, renew_at: 9e15 };
  await storage.set('session', session);
  const client = new ParleyClient({ url: 'http://here', storage, WebSocket: server.socket, fetch: server.fetch });
  t.after(() => client.disconnect());
  await client.connect();
  const room = client.room('5');
  const seen = watch(room);
  await room.open();
  return { server, client, room, seen, ids: () => room.timeline.map(({ id }) => id).join() };
}

test('an event that does not follow the last one: what lies between is read first', async (t) => {
  const { server, seen, ids } = await open(t);
  server.log.push(event('102', '101'), event('103', '102'));
  server.say(event('103', '102'));
  await until(() => ids() === '100,101,102,103', 'the hole is filled');
  assert.deepEqual(server.subscribes, [null, '101']);
  assert.deepEqual(seen.events, ['102', '103']);
});

test('events twice, or old ones: nothing happens', async (t) => {
  const { server, seen, ids } = await open(t);
  const [first, second] = [event('102', '101'), event('103', '102')];
  for (const each of [first, first, event('101', '100'), second]) server.say(each);
  await until(() => ids() === '100,101,102,103', 'all');
  assert.deepEqual([server.subscribes.length, seen.events, seen.problems], [1, ['102', '103'], []]);
});

test('live events while a gap is read wait, and what comes after them too', async (t) => {
  const { server, seen, ids } = await open(t);
  server.silent = true;
  server.log.push(event('102', '101'), event('103', '102'));
  server.say(event('103', '102'));
  server.say(event('104', '103'));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(ids(), '100,101', 'nothing is shown out of order');
  server.subscribed(server.frames.at(-1));
  await until(() => ids() === '100,101,102,103,104', 'all');
  assert.deepEqual([seen.events, seen.problems], [['102', '103', '104'], []]);
});

test('a gap of which the server knows nothing does not stop the room for ever', async (t) => {
  const { server, seen, ids } = await open(t);
  server.say(event('105', '103'));
  await until(() => ids() === '100,101,105', 'shown in the end');
  assert.ok(server.subscribes.length <= 4);
  server.say(event('106', '105'));
  await until(() => ids() === '100,101,105,106', 'and it goes on');
  assert.deepEqual(seen.problems, []);
});

test('an answer for a message that another frame has brought already shows it once', async (t) => {
  const { server, client, room, seen, ids } = await open(t);
  const { sent } = room.send('text 102');
  const { nonce } = server.frames.at(-1);
  // The connection is lost before the answer; the event comes with what was missed.
  server.log.push(event('102', '101', '7'));
  server.ws.onclose({ code: 1006 });
  assert.equal(room.pending.length, 1);
  await until(() => room.state === 'live', 'back', 5);
  assert.equal(ids(), '100,101,102', 'shown as it is in the room, and not as pending beside that');
  assert.equal(client.pendingCount, 1);
  const again = server.frames.filter(({ op }) => op === 'send').at(-1);
  assert.equal(again.nonce, nonce);
  server.say({ op: 'sent', ref: again.ref, nonce, room_id: '5', prev_id: '101', message: message('102', '7') });
  assert.equal((await sent).id, '102');
  assert.deepEqual([ids(), client.pendingCount, room.timeline.at(-1).nonce], ['100,101,102', 0, nonce]);
  assert.deepEqual(seen.problems, []);
});

test('a held message is told so, and goes when a moderator lets it through', async (t) => {
  const { server, room } = await open(t);
  const { sent } = room.send('text 102');
  const { ref, nonce } = server.frames.at(-1);
  server.say({ op: 'error', ref, nonce, code: 'content_held', detail: 'a moderator looks at it' });
  await assert.rejects(sent, { code: 'content_held' });
  assert.deepEqual(room.timeline.map(({ state }) => state), [undefined, undefined, 'held']);
  server.say(event('102', '101', '7'));
  assert.deepEqual(room.timeline.map(({ id }) => id), ['100', '101', '102']);
});

test('a server that was set back: the room is read anew', async (t) => {
  const { server, room, ids } = await open(t);
  server.subscribed = ({ ref }) => server.say({
    op: 'subscribed', ref, room_id: '5', last_id: '90', recovered: false, events: [], more: false,
  });
  server.log = [event('90', null)];
  server.ws.onclose({ code: 1006 });
  await until(() => ids() === '90' && room.lastId === '90', 'as the server has it', 5);
});

test('the copy of an earlier visit is shown, but nothing is marked as read by it', async (t) => {
  const { server, client, room } = await open(t);
  const info = { id: '6', name: 'kitchen', kind: 'group', my_role: 'member', member_count: 2 };
  const reads = () => server.frames.filter(({ op }) => op === 'read').map(({ room_id, message_id }) => [room_id, message_id]);
  room.info = { ...info, id: '5', last_read_id: '100' };
  room.markRead('101');
  await until(() => reads().length === 1, 'a room that is known is marked');
  client.showRooms([{ ...info, last_message: message('200'), last_read_id: '200', unread_count: 0 }, { ...info, id: '5' }]);
  const copy = client.room('6');
  assert.deepEqual([copy.stale, room.stale, client.rooms.length], [true, false, 2]);
  copy.markRead('201');
  copy.markRead();
  assert.deepEqual([copy.info.last_read_id, copy.info.unread_count], ['200', 0]);
  server.rooms = [{ ...info, last_message: message('205'), last_read_id: '200', unread_count: 5 }];
  await client.loadRooms();
  assert.deepEqual([copy.stale, copy.info.unread_count, copy.info.last_read_id], [false, 5, '200']);
  copy.markRead('205');
  await until(() => reads().length === 2, 'now it is');
  assert.deepEqual([reads()[1], copy.info.unread_count], [['6', '205'], 0]);
});
