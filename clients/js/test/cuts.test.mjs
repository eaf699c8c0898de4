// Two people write to each other through connections that are cut at random points, and reload their pages in between:
// no hole, no double, no other order, at any moment. PARLEY_SDK_CUTS says how many cuts (200).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStorage } from '../dist/index.js';
import { history, makeClient, person, until, watch, withoutEdit } from './people.mjs';
import { CuttingProxy } from './proxy.mjs';
import { Server } from './server.mjs';

const CUTS = Number(process.env.PARLEY_SDK_CUTS ?? 200);
const seed = Number(process.env.PARLEY_SDK_SEED ?? Date.now() % 1e9);

function mulberry(a) {
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const plain = ({ nonce: _, reactions = [], ...message }) => ({
  ...message, reactions: reactions.map(({ emoji, user_ids }) => [emoji, ...[...user_ids].sort()].join()).sort(),
});

/** Every event of the room, as a resume from its first one brings them. */
async function wholeLog(client, room_id) {
  await client.connect();
  const log = [];
  for (let since = '1', more = true; more; since = log.at(-1).id) {
    const answer = await client.request({ op: 'subscribe', room_id, since });
    log.push(...answer.events);
    more = answer.more;
  }
  client.disconnect();
  return log;
}

class Writer {
  constructor(name, url, room_id, storage, random) {
    Object.assign(this, { name, url, room_id, storage, random, written: [], problems: [], reloads: 0 });
  }

  async open() {
    this.client = makeClient(this.url, { storage: this.storage });
    await this.client.restore();
    this.client.connect().catch(() => {});
    this.room = this.client.room(this.room_id);
    this.seen = watch(this.room);
    this.opening = this.#open(this.room);
  }

  async #open(room) {
    while (this.room === room && !room.loaded) await room.open().catch(() => new Promise((go) => setTimeout(go, 5)));
  }

  write() {
    const content = `${this.name} ${this.written.length}`;
    this.written.push(content);
    this.room.send(content);
    if (this.room.timeline.at(-1)?.content !== content) this.problems.push(`${content} is not shown at once`);
  }

  /** Changes something that is there, by a way that is not cut: it must be seen here in the end. */
  async change(direct) {
    const { messages } = this.room;
    const { id, user_id, content, deleted } = messages[Math.floor(this.random() ** 0.3 * messages.length)] ?? {};
    if (!id) return;
    const room = direct.room(this.room_id);
    const what = this.random();
    const emoji = ['🍲', '👍', '🎉'][Math.floor(this.random() * 3)];
    if (deleted || what < 0.6) await room.react(id, emoji, this.random() < 0.7);
    else if (user_id === direct.user.id && what < 0.9) await room.edit(id, `${content.replace(/ \(.*/, '')} (${what})`);
    else if (user_id === direct.user.id) await room.delete(id);
  }

  async reload() {
    this.client.disconnect();
    this.problems.push(...this.seen.problems);
    this.reloads++;
    await this.open();
  }
}

test(`${CUTS} random cuts (PARLEY_SDK_SEED=${seed})`, { timeout: 60_000 + CUTS * 60 }, async (t) => {
  const random = mulberry(seed);
  const server = await new Server().start();
  const proxy = new CuttingProxy(server.port, () => 300 + Math.floor(random() ** 2 * 6000));
  const writers = [];
  t.after(async () => {
    for (const { client } of writers) client?.disconnect();
    await proxy.stop();
    assert.equal(await server.stop(), 0);
  });
  await proxy.start();
  const stores = [memoryStorage(), memoryStorage()];
  const people = [await person(server.url, { storage: stores[0] }), await person(server.url, { storage: stores[1] })];
  const { id } = await people[0].createRoom({ kind: 'group', name: 'kitchen', member_ids: [people[1].user.id] });
  writers.push(...stores.map((storage, i) => new Writer(`w${i}`, proxy.url, id, storage, random)));
  for (const writer of writers) await writer.open();
  // The server ends the connection of a page that is reloaded, when it has said goodbye.
  const cuts = () => proxy.cuts - writers[0].reloads - writers[1].reloads;

  while (cuts() < CUTS) {
    for (const writer of writers) {
      if (random() < 0.5 && writer.client.pendingCount < 20) writer.write();
      if (random() < 0.002) await writer.reload();
    }
    for (const [i, writer] of writers.entries()) {
      if (random() < 0.15) await writer.change(people[i]).catch(({ code }) => assert.equal(code, 'unknown_message'));
    }
    if (random() < 0.01) await proxy.cutAll();
    await new Promise((resolve) => setTimeout(resolve, random() * 4));
  }
  proxy.cut = () => Infinity;
  await proxy.cutAll();
  for (const { client } of writers) await until(() => client.pendingCount === 0, 'everything is acknowledged');

  const all = await history(people[0], id);
  const log = await wholeLog(people[0], id);
  for (const { name, written, client, room, seen, problems, opening } of writers) {
    await opening;
    await until(() => room.state === 'live' && room.lastId === log.at(-1).id, `${name} is up to date`);
    assert.deepEqual([...problems, ...seen.problems], [], name);
    const ids = log.map((event) => event.id);
    assert.deepEqual(seen.events, ids.slice(ids.indexOf(seen.events[0])), `${name} was told of every event once`);
    while (await room.more(100));
    assert.deepEqual(room.timeline.map(plain), all.map(plain), `${name} shows what the server has`);
    const theirs = log.filter(({ op, message }) => op === 'message' && message.user_id === client.user.id);
    assert.equal(theirs.length, written.length, `${name}: each text is there once`);
    const kept = theirs.filter(({ message }) => !message.deleted).map(({ message }) => withoutEdit(message.content));
    assert.deepEqual(kept, written.filter((text) => kept.includes(text)), `${name} in order`);
  }
  console.log(`${cuts()} cuts, ${writers[0].reloads + writers[1].reloads} reloads, ${all.length} messages, `
    + `${log.length} events, ${writers[0].seen.changes + writers[1].seen.changes} looks since the last reloads: `
    + 'holes 0, doubles 0');
});
