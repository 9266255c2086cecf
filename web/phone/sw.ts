// The service worker by hand: keeps the shell of its version, so that the app opens without a network, and nothing else.
// It never touches /d/: no request of the device protocol is read, kept or repeated here.

declare const __SHELL__: string[];
declare const __VERSION__: string;

type Waits = Event & { waitUntil(work: Promise<unknown>): void };
type Fetches = Waits & { request: Request; respondWith(answer: Promise<Response>): void };
type Scope = {
  addEventListener(name: 'install' | 'activate', on: (event: Waits) => void): void;
  addEventListener(name: 'fetch', on: (event: Fetches) => void): void;
  addEventListener(name: 'message', on: (event: MessageEvent) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
};

const worker = self as unknown as Scope;
const cacheName = `symbolon-${__VERSION__}`;

worker.addEventListener('install', (event) => {
  const fresh = __SHELL__.map((path) => new Request(path, { cache: 'reload' }));
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(fresh)));
});

worker.addEventListener('activate', (event) => {
  const tidy = async () => {
    for (const name of await caches.keys())
      if (name.startsWith('symbolon-') && name !== cacheName) await caches.delete(name);
    await worker.clients.claim();
  };
  event.waitUntil(tidy());
});

worker.addEventListener('message', (event) => {
  if (event.data === 'take over') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin || url.pathname.startsWith('/d/')) return;
  const page = event.request.mode === 'navigate' && url.pathname.startsWith('/app/');
  const path = page ? '/app/' : url.pathname;
  if (!__SHELL__.includes(path)) return;
  event.respondWith(caches.open(cacheName).then(async (cache) => (await cache.match(path)) ?? fetch(event.request)));
});
