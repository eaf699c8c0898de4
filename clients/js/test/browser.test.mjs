// In a real browser, what only a browser has: IndexedDB over a reload, Web Locks between tabs, its own WebSocket.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { Chromium } from './chromium.mjs';
import { history, person } from './people.mjs';
import { Server } from './server.mjs';

const { outputFiles } = buildSync({
  entryPoints: [fileURLToPath(new URL('../dist/index.js', import.meta.url))],
  bundle: true, format: 'iife', globalName: 'parley', write: false,
});
const sdk = `${outputFiles[0].text}; globalThis.parley = parley; globalThis.client = new parley.ParleyClient();`;
let server;
let chromium;
let ann;
let page;

before(async () => {
  [server, chromium] = await Promise.all([
    new Server({ PARLEY_ACCESS_TOKEN_SECONDS: '2' }).start(), new Chromium().start(),
  ]);
  ann = await person(server.url);
  page = `${server.url}/healthz`; // of the server's origin, and without scripts of its own
});

after(async () => {
  await chromium.stop();
  assert.equal(await server.stop(), 0);
});

async function tab() {
  const opened = await chromium.tab(page);
  await opened.run(sdk);
  return opened;
}

const logIn = () => `await client.logIn({ username: '${ann.user.username}', password: 'correct horse battery' });`;

test('what was written without a connection is there after a reload, and goes out in order', async () => {
  const { id } = await ann.createRoom({ kind: 'group', name: 'browser' });
  const { run, go } = await tab();
  await run(`${logIn()} for (const text of ['one', 'two', 'three']) client.room('${id}').send(text);
    await client.outbox.settled();`);
  await go(`${page}?again`);
  await run(sdk);
  const shown = await run(`
    await client.restore();
    const room = client.room('${id}');
    const before = room.timeline.map(({ content, state }) => [content, state]);
    await client.connect();
    await room.open();
    while (client.pendingCount) await new Promise((resolve) => room.on('change', resolve));
    return [before, room.timeline.map(({ content }) => content)];`);
  assert.deepEqual(shown, [[['one', 'queued'], ['two', 'queued'], ['three', 'queued']], ['one', 'two', 'three']]);
  assert.deepEqual((await history(ann, id)).map(({ content }) => content), ['one', 'two', 'three']);
});

test('three tabs whose token ends renew it once, and all stay signed in', async () => {
  const tabs = [await tab(), await tab(), await tab()];
  await tabs[0].run(logIn());
  for (const { run } of tabs) await run('await client.restore(); await client.connect();');
  await new Promise((resolve) => setTimeout(resolve, 2100));
  const asked = await Promise.all(tabs.map(({ run }) => run(`
    await Promise.all([client.me(), client.me()]);
    return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/refresh')).length;`)));
  const renewals = asked.reduce((sum, each) => sum + each);
  assert.ok(renewals >= 1 && renewals <= 3, `${asked}: once for each life of a token`);
  const look = 'return [client.connection.name, client.user !== null];';
  const states = await Promise.all(tabs.map(({ run }) => run(look)));
  assert.deepEqual(states, Array(3).fill(['online', true]));
});
