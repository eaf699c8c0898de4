// The service worker: keeps the files of one version, so that the page opens without a connection. What the server says
// (the API) never goes through it.
const FILES: string[] = ['__FILES__'];
const CACHE = 'parley-__VERSION__';

interface WorkerEvent extends Event {
  request: Request;
  data: unknown;
  notification: Notification;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}
interface Page {
  focus(): Promise<unknown>;
}
interface ServiceWorkerScope {
  addEventListener(name: string, act: (event: WorkerEvent) => void): void;
  clients: { claim(): Promise<void>; matchAll(options: { type: string }): Promise<Page[]> };
  skipWaiting(): Promise<void>;
}

const worker = self as unknown as ServiceWorkerScope;

worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith('parley-') && name !== CACHE) await caches.delete(name);
    await worker.clients.claim();
  })());
});

worker.addEventListener('message', ({ data }) => {
  if (data === 'take-over') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate' && url.pathname === '/') event.respondWith(page(request));
  else if (url.pathname.startsWith('/assets/')) event.respondWith(file(request));
  else if (/^\/(favicon\.svg|icon-\d+\.png|manifest\.webmanifest)$/.test(url.pathname)) event.respondWith(file(request));
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(worker.clients.matchAll({ type: 'window' }).then((open) => open[0]?.focus()));
});

// As of this version: a newer one says so itself, and is taken when somebody wants it.
async function page(request: Request): Promise<Response> {
  return await (await caches.open(CACHE)).match('/') ?? fetch(request);
}

async function file(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.url);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request.url, answer.clone());
  return answer;
}
