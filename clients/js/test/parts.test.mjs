// The parts by themselves: ids, timeline, session, socket, types.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { compareIds, Nonces } from '../dist/ids.js';
import { ParleyError } from '../dist/errors.js';
import { Session } from '../dist/session.js';
import { Socket } from '../dist/socket.js';
import { memoryStorage } from '../dist/storage.js';
import { Timeline } from '../dist/timeline.js';

const message = (id, more = {}) => ({
  id, room_id: '1', user_id: '7', type: 'TEXT', content: `text ${id}`, created_at: '2026-01-02T03:04:05.678Z', ...more,
});

test('ids compare as the numbers that they are', () => {
  const ids = ['9', '10', '265904200000004096', '265904200000004097', '9223372036854775807'];
  assert.deepEqual([...ids].reverse().sort(compareIds), ids);
});

test('nonces are UUIDv7 and grow, whatever the clock does', () => {
  const nonces = new Nonces();
  const made = [1000, 1000, 999, 5, ...Array(5000).fill(1000), 2000].map((now) => nonces.next(now));
  assert.deepEqual([...made].sort(), made);
  assert.equal(new Set(made).size, made.length);
  const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  for (const nonce of made) assert.match(nonce, uuid7);
  const later = new Nonces();
  later.floor(made.at(-1));
  assert.ok(later.next(1) > made.at(-1), 'after a reload with a clock that was set back');
});

test('a timeline has each message once, in order, in its newest state', () => {
  const timeline = new Timeline();
  for (const id of ['30', '9', '10', '30']) timeline.merge(message(id));
  timeline.edited(message('10', { content: 'new', edited_at: '2026-01-02T03:05:00.000Z' }));
  timeline.merge(message('10')); // an older page that came late
  timeline.deleted('9');
  timeline.merge(message('9'));
  const shown = timeline.messages.map(({ id, content }) => [id, content]);
  assert.deepEqual(shown, [['9', ''], ['10', 'new'], ['30', 'text 30']]);
  assert.equal(timeline.messages[0].deleted, true);
});

test('what changes while a page is under way is not undone by the page', () => {
  const timeline = new Timeline();
  timeline.beginPage();
  timeline.deleted('5');
  timeline.reacted({ message_id: '6', user_id: '7', emoji: '👍', added: true });
  timeline.merge(message('8'));
  timeline.endPage([message('6'), message('5')]);
  assert.deepEqual(timeline.messages.map(({ id }) => id), ['5', '6', '8']);
  assert.equal(timeline.find('5').deleted, true);
  assert.deepEqual(timeline.find('6').reactions, [{ emoji: '👍', count: 1, user_ids: ['7'] }]);
});

test('reactions: the same one twice counts once, the last one takes it away, the others keep their place', () => {
  const timeline = new Timeline();
  const reactions = [{ emoji: '🍲', count: 1, user_ids: ['1'] }, { emoji: '👍', count: 21, user_ids: ['1'] }];
  timeline.merge(message('5', { reactions }));
  const react = (emoji, user_id, added) => timeline.reacted({ message_id: '5', user_id, emoji, added });
  react('🍲', '2', true);
  react('🍲', '2', true);
  react('👍', '9', false); // one of those that are counted but not listed
  react('🎉', '3', false); // never was there
  assert.deepEqual(timeline.find('5').reactions.map(({ emoji, count }) => [emoji, count]), [['🍲', 2], ['👍', 20]]);
  react('🍲', '1', false);
  react('🍲', '2', false);
  assert.deepEqual(timeline.find('5').reactions.map(({ emoji }) => emoji), ['👍']);
});

// --- session
const signin = (n, seconds) => ({
  user: { id: '7', username: 'ann' }, access_token: `access ${n}`, refresh_token: `refresh ${n}`, expires_in: seconds,
});

function makeLocks() {
  let last = Promise.resolve();
  return { request: (_, act) => (last = last.catch(() => {}).then(act)) };
}

function makeHttp() {
  const http = { base: '', asked: [], answer: null };
  http.call = async (name, { body }) => {
    http.asked.push(body.refresh_token);
    await new Promise((resolve) => setTimeout(resolve, 2));
    return http.answer ? http.answer() : signin(http.asked.length + 1, 900);
  };
  return http;
}

for (const locks of [makeLocks(), undefined]) test(`a token that ends is renewed once, ${
  locks ? 'with' : 'without'} Web Locks, however many ask in however many tabs`, async () => {
  const [http, storage] = [makeHttp(), memoryStorage()];
  const tabs = [1, 2, 3].map(() => new Session(http, storage, locks, () => {}));
  await tabs[0].adopt(signin(1, 0));
  for (const tab of tabs) await tab.restore();
  const tokens = await Promise.all(tabs.flatMap((tab) => [tab.token(), tab.token()]));
  assert.deepEqual(http.asked, ['refresh 1']);
  assert.deepEqual(new Set(tokens), new Set(['access 2']));
});

test('a refused refresh ends the session, a lost one does not', async () => {
  const [http, storage] = [makeHttp(), memoryStorage()];
  const told = [];
  const session = new Session(http, storage, undefined, () => told.push(session.value?.user.id ?? null));
  await session.adopt(signin(1, 0));
  http.answer = () => { throw new ParleyError('offline'); };
  await assert.rejects(session.token(), { code: 'offline' });
  assert.equal((await storage.get('session')).refresh_token, 'refresh 1');
  http.answer = () => { throw new ParleyError('token_reused', '', 401); };
  await assert.rejects(session.token(), { code: 'signed_out' });
  assert.equal(await storage.get('session'), undefined);
  assert.deepEqual(told, ['7', null]);
});

// --- socket
class FakeSocket {
  static made = [];
  constructor(url, protocols) {
    Object.assign(this, { url, protocols, sent: [], readyState: 1 });
    FakeSocket.made.push(this);
  }

  send(text) { this.sent.push(JSON.parse(text)); }
  close(code) { this.closedWith = code ?? 1005; }
  say(frame) { this.onmessage?.({ data: JSON.stringify(frame) }); }
  welcome() { this.say({ op: 'welcome', user_id: '7', connection_id: 'c', heartbeat_ms: 25_000, limits: {} }); }
  end(code) { this.onclose?.({ code }); }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function onFakeSocket(t, act, session = {}) {
  FakeSocket.made = [];
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  t.after(() => mock.timers.reset());
  const states = [];
  const socket = new Socket({
    url: 'ws://here/v1/ws', socket: FakeSocket, backoff: { base_ms: 500, max_ms: 30_000 },
    session: { value: { renew_at: 1e15 }, token: async () => 'T', refresh: async () => 'T2', ...session },
    onFrame() {}, onReady() {}, onState: (state) => states.push(state),
  });
  socket.start();
  await turn();
  await act({ socket, states, newest: () => FakeSocket.made.at(-1) });
  socket.stop();
}

const waitOf = (state) => state.retry_at - Date.now();

test('the wait before coming back is random below a bound that doubles', (t) => onFakeSocket(t, async (my) => {
  const { states, newest } = my;
  assert.deepEqual(newest().protocols, ['parley.v1', 'bearer.T']);
  const random = mock.method(Math, 'random', () => 0.999);
  t.after(() => random.mock.restore());
  const waits = [];
  for (let i = 0; i < 9; i++) {
    newest().end(1006);
    waits.push(Math.round(waitOf(states.at(-1))));
    mock.timers.tick(waits.at(-1) + 1);
    await turn();
  }
  assert.deepEqual(waits, [500, 999, 1998, 3996, 7992, 15984, 29970, 29970, 29970]);
  random.mock.mockImplementation(() => 0);
  newest().end(4001);
  assert.equal(waitOf(states.at(-1)), 0, 'full jitter: from nothing on');
}));

test('goaway says how long to wait, once', (t) => onFakeSocket(t, async ({ states, newest }) => {
  newest().welcome();
  newest().say({ op: 'goaway', reason: 'drain', retry_after_ms: 8000 });
  newest().end(1001);
  const wait = waitOf(states.at(-1));
  assert.ok(wait >= 6000 && wait <= 10_000, `${wait}`);
  mock.timers.tick(10_001);
  await turn();
  newest().end(1006);
  assert.ok(waitOf(states.at(-1)) <= 1000);
}));

test('4500 to 4599: not by itself, but when asked', (t) => onFakeSocket(t, async ({ socket, states, newest }) => {
  for (const code of [4500, 4501, 4502]) {
    newest().welcome();
    newest().end(code);
    assert.deepEqual(states.at(-1), { name: 'stopped', code });
    mock.timers.tick(100_000);
    await turn();
    assert.equal(states.at(-1).name, 'stopped');
    socket.start();
    await turn();
  }
  assert.equal(FakeSocket.made.length, 4);
}));

test('4003: a new token, then back at once; with pauses if that is refused too', async (t) => {
  const refreshed = [];
  await onFakeSocket(t, async ({ states, newest }) => {
    newest().welcome();
    newest().end(4003);
    await turn();
    assert.deepEqual(refreshed, ['T']);
    assert.deepEqual([FakeSocket.made.length, states.at(-1).name], [2, 'connecting']);
    newest().end(4003);
    await turn();
    newest().end(4003);
    await turn();
    assert.equal(states.at(-1).name, 'waiting');
  }, { refresh: async (stale) => { refreshed.push(stale); return 'T2'; } });
});

test('a session that is over ends the coming back', (t) => onFakeSocket(t, async ({ states, newest }) => {
  newest().welcome();
  newest().end(4003);
  await turn();
  assert.deepEqual(states.at(-1), { name: 'idle' });
}, { refresh: async () => { throw new ParleyError('signed_out'); } }));

test('an open connection gets the newer token before its own ends', (t) => onFakeSocket(t, async (my) => {
  const { states, newest } = my;
  newest().welcome();
  mock.timers.tick(870_000);
  await turn();
  assert.deepEqual(newest().sent.filter(({ op }) => op === 'hello'), [{ op: 'hello', token: 'T2' }]);
  newest().welcome();
  assert.deepEqual(states.map(({ name }) => name), ['connecting', 'online']);
}, { value: { renew_at: 1_000_000 + 870_000 } }));

test('after a silence it asks, and gives a dead connection up', (t) => onFakeSocket(t, async ({ states, newest }) => {
  newest().welcome();
  mock.timers.tick(25_000);
  assert.deepEqual(newest().sent, [{ op: 'ping' }]);
  newest().say({ op: 'pong' });
  mock.timers.tick(8_001);
  assert.equal(states.at(-1).name, 'online');
  mock.timers.tick(50_000);
  mock.timers.tick(8_001);
  assert.equal(states.at(-1).name, 'waiting');
}));

test('a handshake that hangs is given up, missing answers are told', (t) => onFakeSocket(t, async (my) => {
  const { socket, states, newest } = my;
  mock.timers.tick(15_001);
  assert.equal(states.at(-1).name, 'waiting');
  mock.timers.tick(1000);
  await turn();
  newest().welcome();
  const lost = socket.request({ op: 'ping' });
  const late = socket.request({ op: 'ping' });
  mock.timers.tick(15_001);
  await assert.rejects(late, { code: 'timeout' });
  await assert.rejects(lost, { code: 'timeout' });
  const cut = socket.request({ op: 'ping' });
  newest().end(1006);
  await assert.rejects(cut, { code: 'disconnected' });
  await assert.rejects(socket.request({ op: 'ping' }), { code: 'disconnected' });
}));
