// Uploads against a store that is slow, full of faults, and counts: whole, resumable (tus), in parts.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { ParleyClient, memoryStorage } from '../dist/index.js';

const MB = 1024 * 1024;
let store;
let asked;
let tickets;
let faults; // what happens to the next requests for bytes: 'cut', a status, or nothing
let objects;
let kind;

const server = createServer(async (request, response) => {
  const { method, headers } = request;
  const path = new URL(request.url, 'http://here').pathname;
  const chunks = [];
  const answer = (status, text = '', more = {}) => response.writeHead(status, more).end(text);
  const isBytes = path.startsWith('/bytes/');
  const fault = isBytes ? faults.shift() : undefined;
  request.on('error', () => {});
  for await (const chunk of request) {
    chunks.push(chunk);
    if (fault === 'cut') {
      // What came so far of a resumable upload is kept.
      if (method === 'PATCH') objects[path] = Buffer.concat([objects[path] ?? Buffer.alloc(0), ...chunks]);
      return request.socket.resetAndDestroy();
    }
  }
  const body = Buffer.concat(chunks);
  asked.push(`${method} ${path}`);
  if (path.endsWith('/media')) return answer(201, JSON.stringify(ticket(JSON.parse(body), headers)));
  const code = fault < 500 ? 'invalid_field' : 'media_unavailable';
  if (typeof fault === 'number') return answer(fault, JSON.stringify({ code }));
  if (method === 'HEAD') return answer(200, '', { 'Upload-Offset': objects[path]?.length ?? 0 });
  if (method === 'PATCH') {
    assert.equal(headers['content-type'], 'application/offset+octet-stream');
    if (Number(headers['upload-offset']) !== (objects[path]?.length ?? 0)) return answer(409);
    objects[path] = Buffer.concat([objects[path] ?? Buffer.alloc(0), body]);
    return answer(204, '', { 'Upload-Offset': objects[path].length });
  }
  objects[path] = body;
  return answer(200);
});

function ticket(body, headers) {
  assert.equal(headers.authorization, 'Bearer T');
  tickets.push(body);
  const url = `/bytes/${tickets.length}`;
  const signed = { 'X-Signed': 'yes' };
  const upload = {
    whole: { method: 'PUT', url, headers: signed },
    resumable: { method: 'PUT', url, headers: signed, resumable: true },
    parts: {
      method: 'MULTIPART', part_size: 5 * MB, complete: { method: 'POST', url: `${url}/complete` },
      parts: Array.from({ length: Math.ceil(body.size / (5 * MB)) }, (_, i) => (
        { number: i + 1, url: `${url}/${i + 1}`, headers: signed })),
    },
  }[kind];
  return { media_id: String(tickets.length), upload };
}

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const storage = memoryStorage();
  const session = { user: { id: '7' }, access_token: 'T', refresh_token: 'R', expires_at: 9e15, renew_at: 9e15 };
  await storage.set('session', session);
  store = new ParleyClient({ url: `http://127.0.0.1:${server.address().port}`, storage, WebSocket: class {} });
  await store.restore();
});

after(() => server.close());

beforeEach(() => {
  [asked, tickets, faults, objects, kind] = [[], [], [], {}, 'whole'];
});

function begin(size, type = 'image/png') {
  const bytes = randomBytes(size);
  const upload = store.room('5').upload(new File([bytes], 'soup.png', { type }));
  const progress = [];
  upload.on('change', ({ loaded }) => progress.push(loaded));
  return { bytes, upload, progress };
}

test('a small file goes in one PUT, with its name, type, size and checksum in the ticket', async () => {
  const { bytes, upload, progress } = begin(100_000);
  assert.equal(await upload.done, '1');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  assert.deepEqual(tickets, [{ filename: 'soup.png', content_type: 'image/png', size: 100_000, sha256 }]);
  assert.ok(objects['/bytes/1'].equals(bytes));
  assert.deepEqual([upload.state, upload.mediaId, upload.loaded, progress.at(-1)], ['done', '1', 100_000, 100_000]);
});

test('after a lost connection or a store that is down it goes on, with a new ticket', async () => {
  faults = ['cut', 503];
  const { bytes, upload } = begin(300_000);
  assert.equal(await upload.done, '3');
  assert.ok(objects['/bytes/3'].equals(bytes));
});

test('what the server refuses is told at once; cancel and retry', async () => {
  faults = [400];
  const refused = begin(1000);
  await assert.rejects(refused.upload.done, { status: 400 });
  assert.equal(refused.upload.state, 'failed');
  refused.upload.retry();
  assert.equal(await refused.upload.done, '2');

  const { upload } = begin(1000);
  upload.cancel();
  await assert.rejects(upload.done, { code: 'cancelled' });
  assert.equal(upload.state, 'cancelled');
  upload.retry();
  await upload.done;
  assert.equal(upload.state, 'done');
});

test('a large file goes in pieces; after a cut it goes on where the server is', async () => {
  kind = 'resumable';
  faults = [undefined, undefined, 'cut', undefined, 503];
  const { bytes, upload, progress } = begin(17 * MB, 'video/mp4');
  assert.equal(await upload.done, '1');
  assert.equal(tickets[0].sha256, undefined);
  assert.ok(objects['/bytes/1'].equals(bytes));
  assert.equal(tickets.length, 1);
  assert.ok(progress.every((loaded) => loaded <= 17 * MB));
});

test('the parts of an object store: those that are there are not sent again', async () => {
  kind = 'parts';
  faults = [undefined, 'cut', undefined, 503];
  const { bytes, upload } = begin(18 * MB, 'video/mp4');
  assert.equal(await upload.done, '1');
  const parts = [1, 2, 3, 4].map((number) => objects[`/bytes/1/${number}`]);
  assert.ok(Buffer.concat(parts).equals(bytes));
  assert.equal(asked.filter((line) => line === 'PUT /bytes/1/1').length, 1);
  assert.equal(asked.at(-1), 'POST /bytes/1/complete');
});
