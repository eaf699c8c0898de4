// Clients for tests, and what must be true of what they show at every moment.
import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { ParleyClient, compareIds } from '../dist/index.js';

export const backoff = { base_ms: 5, max_ms: 40 };
let count = 0;

export function makeClient(url, more = {}) {
  return new ParleyClient({ url, WebSocket, backoff, ...more });
}

export async function person(url, more) {
  const client = makeClient(url, more);
  const username = `p${process.pid % 10000}n${++count}`;
  await client.signUp({ username, email: `${username}@example.org`, password: 'correct horse battery' });
  return client;
}

export async function until(condition, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not in ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** All messages of a room as the server has them, oldest first. */
export async function history(client, room_id) {
  const all = [];
  for (let after = '1'; after;) {
    const query = { after, limit: 100 };
    const page = await client.call('GET /v1/rooms/{room_id}/messages', { path: { room_id }, query });
    all.push(...page.messages);
    after = page.next;
  }
  return all;
}

/** Tests write an edited text as the first one with something in brackets behind it. */
export const withoutEdit = (text) => text.replace(/ \(.*/, '');

/**
 * Looks at each change of a room: ids grow, no text stands there twice (each test writes every text once), what was
 * there stays where it was, and events grow. `problems` says what was not so.
 */
export function watch(room) {
  const seen = { problems: [], events: [], changes: 0 };
  let before = [];
  room.on('change', () => {
    seen.changes++;
    const { messages, timeline } = room;
    for (let i = 1; i < messages.length; i++) {
      if (compareIds(messages[i - 1].id, messages[i].id) >= 0) seen.problems.push(`order at ${messages[i].id}`);
    }
    const texts = timeline.map((each) => withoutEdit(each.content)).filter(Boolean); // of a deleted one: none
    if (new Set(texts).size !== texts.length) {
      seen.problems.push(`twice: ${texts.filter((text, i) => texts.indexOf(text) !== i)}`);
    }
    if (before.some(({ id }, i) => messages[i]?.id !== id)) seen.problems.push('what was there has moved');
    before = messages;
  });
  room.on('event', ({ id }) => {
    if (seen.events.length && compareIds(seen.events.at(-1), id) >= 0) seen.problems.push(`event ${id} is late`);
    seen.events.push(id);
  });
  return seen;
}

export function assertSame(found, wanted, what) {
  assert.deepEqual(found.map(({ id, content }) => [id, content]), wanted.map(({ id, content }) => [id, content]), what);
}
