// Whole clients against the real server: what each call does, and what happens when the server or the page goes away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { indexedDbStorage, memoryStorage } from '../dist/index.js';
import { assertSame, history, makeClient, person, until, watch } from './people.mjs';
import { CuttingProxy } from './proxy.mjs';
import { Server } from './server.mjs';

globalThis.IDBKeyRange = IDBKeyRange;
let server;
const clients = [];
before(async () => (server = await new Server().start()));
after(async () => {
  for (const client of clients) client.disconnect();
  assert.equal(await server.stop(), 0);
});

async function someone(more) {
  const client = await person(more?.url ?? server.url, more);
  clients.push(client);
  await client.connect();
  return client;
}

/** Two people in a room that both have open. */
async function twoInARoom(more = {}) {
  const [ann, bob] = [await someone(more), await someone(more)];
  const room = await ann.createRoom({ kind: 'group', name: `room ${bob.user.id}`, member_ids: [bob.user.id] });
  const other = bob.room(room.id);
  await Promise.all([room.open(), other.open()]);
  return { ann, bob, room, other };
}

const last = (room) => room.timeline.at(-1);

test('a message is shown at once, then as it is in the room, on both sides', async () => {
  const { ann, room, other } = await twoInARoom();
  const { pending, sent } = room.send('Soup is ready');
  assert.equal(last(room), room.pending[0]);
  assert.deepEqual([pending.content, pending.user_id, pending.id], ['Soup is ready', ann.user.id, undefined]);
  const message = await sent;
  await until(() => last(other)?.id === message.id, 'the other sees it');
  assert.deepEqual([last(room).id, last(room).nonce, room.pending.length], [message.id, pending.nonce, 0]);
  assert.equal(room.timeline, room.timeline, 'the same array while nothing changes');
  const reply = await other.send({ content: 'Coming', reply_to: message.id }).sent;
  assert.equal(reply.reply_to, message.id);
});

test('edit, react, delete; typing and receipts; unread counts', async () => {
  const { ann, bob, room, other } = await twoInARoom();
  await bob.followRooms();
  const { id } = await room.send('Sup').sent;
  await until(() => other.info.unread_count === 1, 'unread');
  assert.equal(bob.rooms[0].info.last_message.content, 'Sup');
  await room.edit(id, 'Soup');
  await other.react(id, '🍲');
  await until(() => last(other).content === 'Soup' && last(room).reactions?.[0].count === 1, 'edited, reacted');
  assert.equal(other.info.last_message.content, 'Soup');
  await other.react(id, '🍲', false);
  await until(() => !last(room).reactions.length, 'taken back');
  other.sendTyping();
  await until(() => room.typing[0] === bob.user.id, 'typing');
  await other.send('yes').sent;
  await until(() => room.typing.length === 0, 'whoever sent types no more');
  other.markRead();
  assert.equal(other.info.unread_count, 0);
  await until(() => room.receipts.get(bob.user.id) === last(other).id, 'receipt');
  await room.delete(id);
  await until(() => room.messages[0].deleted && other.messages[0].content === '', 'deleted');
  await assert.rejects(room.edit(last(room).id, 'not mine'), { code: 'forbidden', status: 403 });
  assert.equal(ann.user.username, (await ann.me()).username);
});

test('rooms: directory, join, roles, removal, leaving, a room that is deleted, direct messages', async () => {
  const [ann, bob] = [await someone(), await someone()];
  await bob.followRooms();
  const name = `garden ${ann.user.id}`;
  const room = await ann.createRoom({ kind: 'group', name, visibility: 'public', topic: 'green' });
  await room.open();
  assert.deepEqual((await bob.directory({ query: name })).rooms.map(({ id }) => id), [room.id]);
  const other = await bob.joinRoom(room.id);
  await until(() => other.state === 'live' && room.info.member_count === 2, 'joined');
  await room.setMember(bob.user.id, 'admin');
  await until(() => other.info.my_role === 'admin', 'role');
  await other.update({ topic: 'greener' });
  await until(() => room.info.topic === 'greener', 'topic');
  assert.deepEqual((await room.members()).members.map(({ user_id, role }) => [user_id, role]).sort(),
    [[ann.user.id, 'owner'], [bob.user.id, 'admin']].sort());
  await room.removeMember(bob.user.id);
  await until(() => other.state === 'gone' && bob.rooms.length === 0, 'removed');
  await room.setMember(bob.user.id);
  await until(() => bob.rooms[0] === other && other.state === 'live', 'put into it: it is in the list by itself');
  await other.leave();
  assert.equal(other.state, 'gone');
  await other.join();
  await until(() => other.state === 'live', 'back');
  await room.remove();
  await until(() => other.state === 'gone', 'deleted');
  const dm = await ann.dm(bob.user.id);
  await dm.send('psst').sent;
  const newest = () => bob.rooms[0];
  await until(() => newest()?.id === dm.id && newest().info.last_message?.content === 'psst', 'the message is there');
  assert.equal((await bob.dm(ann.user.id)).id, dm.id);
});

test('who is not in a room cannot follow it or send there, and is told so', async () => {
  const { room } = await twoInARoom();
  const eve = await someone();
  const secret = eve.room(room.id);
  await assert.rejects(secret.open(), { code: 'unknown_room' });
  assert.equal(secret.state, 'gone');
  const { pending, sent } = secret.send('let me in');
  await assert.rejects(sent, { code: 'unknown_room' });
  assert.deepEqual([secret.pending[0].nonce, secret.pending[0].state], [pending.nonce, 'failed']);
  secret.discard(pending.nonce);
  assert.equal(secret.timeline.length, 0);
});

test('a refused message fails alone; a retry goes behind what was written since', async () => {
  const { room, other } = await twoInARoom();
  const bad = room.send({ content: 'answer to nothing', reply_to: '1' });
  const good = room.send('second');
  await assert.rejects(bad.sent, { code: 'unknown_message' });
  await good.sent;
  assert.deepEqual(room.timeline.map(({ content, state }) => [content, state]),
    [['second', undefined], ['answer to nothing', 'failed']]);
  room.retry(bad.pending.nonce);
  await until(() => last(room).state === 'failed', 'refused again');
  assert.notEqual(last(room).nonce, bad.pending.nonce);
  room.discard(last(room).nonce);
  assert.equal(room.timeline.length, 1);
  await until(() => other.timeline.length === 1, 'nothing of it on the other side');
});

test('following ends and begins, however fast', async () => {
  const { room, other } = await twoInARoom();
  const seen = watch(other);
  other.unsubscribe();
  other.subscribe();
  other.unsubscribe();
  await room.send('unheard').sent;
  assert.deepEqual([other.state, other.timeline.length, seen.events], ['off', 0, []]);
  other.subscribe();
  other.unsubscribe();
  await other.open();
  await room.send('heard').sent;
  await until(() => other.timeline.length === 2, 'both are there');
  assert.equal(seen.events.length, 1);
});

test('slow mode: the message waits as long as the server says, and goes in order', async () => {
  const { room, other } = await twoInARoom();
  await room.update({ slow_mode_seconds: 1 });
  await other.send('one').sent;
  other.send('two');
  await until(() => other.pending[0]?.retry_at > Date.now(), 'it is told to wait');
  await until(() => room.timeline.map(({ content }) => content).join() === 'one,two', 'both are there', 5);
});

test('a room that has no time of its own any more tells none', async () => {
  const { room, other } = await twoInARoom();
  await room.update({ retention_days: 30 });
  await until(() => other.info?.retention_days === 30, 'it is told');
  await room.update({ retention_days: null });
  assert.equal('retention_days' in room.info, false);
  await until(() => !('retention_days' in other.info), 'that is told too');
  assert.equal(room.info.my_role, 'owner', 'what is not told stays');
});

test('a long absence: every event comes, in order, in pages of 500', async () => {
  const { ann, bob, room, other } = await twoInARoom();
  const seen = watch(other);
  bob.disconnect();
  const say = (content) => ann.call('POST /v1/rooms/{room_id}/messages', {
    path: { room_id: room.id }, body: { nonce: crypto.randomUUID(), type: 'TEXT', content },
  });
  for (let i = 0; i < 620; i += 31) await Promise.all(Array.from({ length: 31 }, (_, k) => say(`line ${i + k}`)));
  const away = other.send('written offline');
  assert.equal(last(other).state, 'queued');
  await bob.connect();
  await away.sent;
  const all = await history(bob, room.id);
  await until(() => other.lastId === all.at(-1).id, 'up to date');
  assert.equal(all.length, 621);
  assertSame(other.timeline, all, 'the timeline');
  assert.deepEqual([seen.problems, seen.events.length], [[], 621]);
  other.trim(100);
  assert.deepEqual([other.messages.length, other.hasOlder], [100, true]);
  while (await other.more(100));
  assertSame(other.timeline, all, 'paged back');
});

test('unsent messages survive a reload in IndexedDB, and are in the room once', async () => {
  const proxy = await new CuttingProxy(server.port).start();
  const storage = () => indexedDbStorage('parley', factory);
  const factory = new IDBFactory();
  const { ann, room } = await twoInARoom({ url: proxy.url, storage: storage() });
  const others = clients.at(-1);
  await room.send('before').sent;
  await proxy.stop();
  await until(() => ann.connection.name === 'waiting', 'offline');
  for (const text of ['one', 'two', 'three']) room.send(text);
  await ann.outbox.settled();
  ann.disconnect();
  others.disconnect();

  const again = makeClient(server.url, { storage: storage() });
  clients.push(again);
  assert.equal((await again.restore()).id, others.user.id, 'the storage holds who signed in last');
  assert.equal(again.pendingCount, 0, 'and nobody sees what somebody else has written');
  const stored = await storage().entries('outbox/');
  assert.equal(stored.length, 3);

  const own = makeClient(server.url, { storage: storage() });
  clients.push(own);
  await own.logIn({ username: ann.user.username, password: 'correct horse battery' });
  assert.equal(own.pendingCount, 3);
  await own.connect();
  const mine = own.room(room.id);
  await mine.open();
  await until(() => own.pendingCount === 0, 'sent');
  await own.outbox.settled();
  await until(() => mine.timeline.length === 4, 'shown');
  assert.deepEqual(mine.timeline.map(({ content }) => content), ['before', 'one', 'two', 'three']);
  assert.deepEqual(await storage().entries('outbox/'), []);
});

test('the server is killed and comes back: nothing is lost, nothing is there twice', async () => {
  const own = await new Server().start();
  const { ann, bob, room, other } = await twoInARoom({ url: own.url });
  const seen = [watch(room), watch(other)];
  let n = 0;
  for (let life = 0; life < 2; life++) {
    for (let i = 0; i < 10; i++) room.send(`text ${n++}`);
    await until(() => other.timeline.length > n - 8, 'some are there');
    await own.kill();
    for (let i = 0; i < 3; i++) room.send(`text ${n++}`);
    assert.equal(last(room).content, `text ${n - 1}`);
    await own.start();
  }
  await until(() => room.pending.length === 0 && other.timeline.length === n, 'all are there');
  const all = await history(ann, room.id);
  assert.deepEqual(all.map(({ content }) => content), Array.from({ length: n }, (_, i) => `text ${i}`));
  for (const each of [room, other]) assertSame(each.timeline, all, 'shown');
  assert.deepEqual(seen.flatMap(({ problems }) => problems), []);
  ann.disconnect();
  bob.disconnect();
  assert.equal(await own.stop(), 0);
});

test('logging out ends the other tab of the session too; signing in again works', async () => {
  const storage = memoryStorage();
  const ann = await someone({ storage });
  const tab = makeClient(server.url, { storage });
  clients.push(tab);
  await tab.connect();
  await ann.logOut();
  await until(() => tab.user === null && tab.connection.name !== 'online', 'the other tab');
  assert.deepEqual([ann.user, ann.connection.name, await storage.get('session')], [null, 'idle', undefined]);
  await assert.rejects(tab.connect(), { code: 'signed_out' });
  await assert.rejects(ann.me(), { code: 'signed_out' });
  assert.throws(() => ann.room('1').send('x'), { code: 'signed_out' });
  await assert.rejects(ann.logIn({ username: 'nobody', password: 'wrong wrong' }), { code: 'invalid_credentials' });
});

test('tokens that live two seconds: connections and calls go on', async () => {
  const own = await new Server({ PARLEY_ACCESS_TOKEN_SECONDS: '2' }).start();
  const { ann, bob, room, other } = await twoInARoom({ url: own.url });
  const states = [];
  ann.on('connection', ({ name }) => states.push(name));
  const end = Date.now() + 2600;
  let n = 0;
  for (; Date.now() < end; n++) {
    await room.send(`text ${n}`).sent;
    await ann.me();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.deepEqual([other.timeline.length, states], [n, []], 'the connection outlived its first token');
  ann.disconnect();
  bob.disconnect();
  assert.equal(await own.stop(), 0);
});

test('any call, typed by its name', async () => {
  const ann = await someone();
  await assert.rejects(ann.call('GET /v1/admin/users', { query: { limit: 10 } }), { code: 'forbidden', status: 403 });
  const page = await ann.call('GET /v1/rooms', { query: { limit: 1 } });
  assert.deepEqual(page, { rooms: [], next: null });
  const cancelled = new AbortController();
  cancelled.abort();
  await assert.rejects(ann.call('GET /v1/me', undefined, cancelled.signal), { code: 'cancelled' });
});

test('sessions are listed and ended; names and pictures of people', async () => {
  const ann = await someone();
  const { username } = ann.user;
  const other = makeClient(server.url, { storage: memoryStorage() });
  clients.push(other);
  await other.logIn({ username, password: 'correct horse battery' });
  await other.connect();
  const { sessions } = await ann.sessions();
  assert.deepEqual(sessions.map(({ current }) => current), [false, true]);
  await ann.endSession(sessions[0].id);
  await until(() => other.user === null, 'the other one is signed out');
  await assert.rejects(ann.endSession(sessions[0].id), { code: 'unknown_session' });
  await ann.endOtherSessions();
  await assert.rejects(ann.changePassword('not this one', 'a better horse'), { code: 'forbidden' });
  await ann.changePassword('correct horse battery', 'correct horse battery');
  assert.equal((await ann.sessions()).sessions.length, 1);

  await ann.updateMe({ display_name: 'Ann B.' });
  const head = '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489';
  const png = Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(200)]);
  const upload = ann.uploadAvatar(new Blob([png], { type: 'image/png' }), { filename: 'me.png' });
  const avatar_media_id = await upload.done;
  assert.equal((await ann.updateMe({ avatar_media_id })).avatar_media_id, avatar_media_id);
  const bob = await someone();
  const room = await ann.createRoom({ kind: 'dm', member_ids: [bob.user.id] });
  const looks = { username, display_name: 'Ann B.', avatar_media_id };
  assert.deepEqual(await bob.people([ann.user.id, '1']), [{ id: ann.user.id, ...looks }]);
  const member = (await bob.room(room.id).members()).members.find(({ user_id }) => user_id === ann.user.id);
  assert.deepEqual([member.display_name, member.avatar_media_id], ['Ann B.', avatar_media_id]);
  assert.ok((await (await bob.media(avatar_media_id)).blob()).size > 0);
  assert.equal((await ann.updateMe({ avatar_media_id: null })).avatar_media_id, undefined);
});
