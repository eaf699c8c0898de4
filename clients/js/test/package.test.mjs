// What is published: small enough, documented, and usable by an empty project.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { person, until } from './people.mjs';
import { Server } from './server.mjs';

const package_ = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(join(package_, path), 'utf8');
const COMPRESSED_MAX = 15 * 1024;
let project;
let server;

before(async () => {
  server = await new Server().start();
  project = mkdtempSync(join(tmpdir(), 'parley-sdk-project-'));
  const run = (program, ...words) => execFileSync(program, words, { cwd: project, encoding: 'utf8' });
  writeFileSync(join(project, 'package.json'), '{"private": true, "type": "module"}');
  const tarball = run('npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', project, package_).trim();
  run('npm', 'install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', `./${tarball.split('\n').at(-1)}`);
});

after(async () => {
  rmSync(project, { recursive: true, force: true });
  assert.equal(await server.stop(), 0);
});

test('the whole of it is at most 15 KB compressed', () => {
  const { outputFiles } = buildSync({
    entryPoints: [join(package_, 'dist/index.js')],
    bundle: true, minify: true, format: 'esm', target: 'es2022', write: false,
  });
  const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  console.log(`${size} bytes compressed`);
  assert.ok(size <= COMPRESSED_MAX, `${size} bytes`);
});

/** Names of the public members of a class, as its declarations have them. */
function members(file) {
  const text = read(`dist/${file}.d.ts`).replace(/\/\*[\s\S]*?\*\//g, '');
  const body = text.split(/export declare (?:abstract )?class [\s\S]*?> \{\n/)[1];
  return [...body.matchAll(/^ {4}(?:abstract |readonly |get |static |override )*(\w+)[(<:!?]/gm)].map(([, name]) => name)
    .filter((name) => name !== 'constructor');
}

test('docs/sdk.md names all that is public, and nothing else', () => {
  const document = read('../../docs/sdk.md');
  const sections = Object.fromEntries(document.split(/^## /m).slice(1).map((part) => [part.split('\n')[0], part]));
  const given = ['url', 'client', 'id', 'roomId', 'file', 'options']; // to the constructor
  const files = { ParleyClient: ['client', 'account_calls'], Room: ['room', 'room_calls'], Upload: ['upload'] };
  for (const [section, of] of Object.entries(files)) {
    const lines = sections[section].split('\n').filter((line) => line.startsWith('| `'));
    const rows = lines.map((line) => line.split(' | ')[0]);
    const named = [...rows.join(' ').matchAll(/`(\w+)[^`]*`/g)].map(([, name]) => name);
    const wanted = of.flatMap(members).filter((name) => !given.includes(name));
    assert.deepEqual([...new Set(named)].sort(), [...new Set(wanted)].sort(), section);
  }
  const exported = [...read('dist/index.d.ts').matchAll(/\{([^}]*)\}/g)].flatMap(([, names]) => names.split(','))
    .map((name) => name.trim().replace(/^type /, '').replace(/.* as /, '')).filter(Boolean);
  for (const name of exported) assert.match(document, new RegExp(`\\b${name}\\b`), `${name} is not in docs/sdk.md`);
});

test('an empty project has its types, strictly checked', () => {
  writeFileSync(join(project, 'use.ts'), `
    import { ParleyClient, ParleyError, type Message, type PendingMessage, type Room } from '@parley/client';
    const client = new ParleyClient({ url: 'http://127.0.0.1:1' });
    const room: Room = client.room('5');
    const { pending, sent }: { pending: PendingMessage; sent: Promise<Message> } = room.send('x');
    client.on('event', ({ event }) => {
      if (event.op === 'member') console.log(event.action === 'removed', pending, sent);
    });
    const path = { room_id: '5' };
    client.call('GET /v1/rooms/{room_id}', { path }).then(({ online_count }) => console.log(online_count));
    client.call('GET /v1/rooms').catch((error: ParleyError) => console.log(error.code === 'rate_limited'));
    // @ts-expect-error a path needs its id
    client.call('GET /v1/rooms/{room_id}');
    // @ts-expect-error there is no such call
    client.call('GET /v1/nothing');
    // @ts-expect-error not for the public
    client.outbox;
  `);
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({
    files: ['use.ts'],
    compilerOptions: {
      strict: true, noEmit: true, target: 'es2022', module: 'nodenext', types: [],
      lib: ['es2022', 'dom', 'dom.iterable'],
    },
  }));
  const tsc = join(package_, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', '.'], { cwd: project, stdio: 'inherit' });
});

function withSockets() {
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(join(package_, 'node_modules/ws'), join(project, 'node_modules/ws'));
  writeFileSync(join(project, 'sockets.mjs'), "globalThis.WebSocket ??= (await import('ws')).WebSocket;");
}

test('the example runs', () => {
  withSockets();
  cpSync(join(package_, 'examples/hello.mjs'), join(project, 'hello.mjs'));
  const hello = (name, text) => execFileSync(process.execPath, ['hello.mjs', server.url, name, 'kitchen', text],
    { cwd: project, encoding: 'utf8', timeout: 20_000 });
  assert.equal(hello('ann', 'Soup is ready'), 'me Soup is ready\n');
  assert.equal(hello('bob', 'Coming'), 'other Soup is ready\nme Coming\n');
});

test('the ten lines of the README run', async () => {
  const example = /```js\n([\s\S]*?)```/.exec(read('README.md'))[1];
  const ann = await person(server.url);
  await ann.createRoom({ kind: 'group', name: 'readme' });
  const mine = example.replace('https://chat.example.org', server.url).replace('ann@example.org', ann.user.email);
  assert.notEqual(mine, example);
  writeFileSync(join(project, 'readme.mjs'), mine);
  const child = spawn(process.execPath, ['--import', './sockets.mjs', 'readme.mjs'], { cwd: project });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  try {
    const shown = () => /^(queued|sending) Soup is ready\n(.*\n)*\d+ Soup is ready$/m.test(output);
    await until(shown, 'it says so').catch((error) => assert.fail(`${error.message}:\n${output}`));
  } finally {
    child.kill();
  }
});
