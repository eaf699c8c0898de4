// What the SDK takes for a WebSocket: a link to the connection that all tabs share, or, where the browser has no shared
// workers (phones) or no locks (a page without https), a WebSocket of this tab.
import type { Down, Opening, Up } from './hub';

interface Closing {
  code: number;
}

class LinkedSocket {
  readyState = 0;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: Closing) => void) | null = null;
  onerror: (() => void) | null = null;
  #port: MessagePort;

  constructor(worker: SharedWorker, open: Omit<Opening, 'lock'>) {
    this.#port = worker.port;
    this.#port.onmessage = ({ data }: MessageEvent<Down>) => {
      if (data.kind === 'closed') this.#closed(data.code);
      else {
        this.readyState = 1;
        this.onmessage?.({ data: data.text });
      }
    };
    worker.onerror = () => {
      broken = true;
      this.#closed(1006);
    };
    this.#port.start();
    // First the lock: a worker that gets it before this tab would take the tab for gone.
    void held().then((lock) => this.readyState !== 3 && this.#post({ ...open, lock }));
  }

  send(text: string): void {
    this.#post({ kind: 'text', text });
  }

  close(): void {
    this.#post({ kind: 'close' });
    this.#end();
  }

  #post(message: Up): void {
    this.#port.postMessage(message);
  }

  #closed(code: number): void {
    this.#end();
    this.onclose?.({ code });
  }

  #end(): void {
    this.readyState = 3;
    this.#port.onmessage = null;
    this.#port.close();
  }
}

let broken = false;
let lock: Promise<string> | null = null;

function canShare(): boolean {
  return !broken && typeof SharedWorker === 'function' && Boolean(navigator.locks);
}

function held(): Promise<string> {
  lock ??= new Promise((granted) => {
    const name = `parley-tab-${crypto.randomUUID()}`;
    void navigator.locks.request(name, () => {
      granted(name);
      return new Promise(() => {}); // as long as the tab lives
    });
  });
  return lock;
}

/** `user` is who is signed in when a connection is made. */
export function sharedSocketClass(user: () => string): unknown {
  return class {
    constructor(url: string, protocols: string[]) {
      if (!canShare()) return new WebSocket(url, protocols);
      const worker = new SharedWorker(new URL('./socket_worker.ts', import.meta.url), { type: 'module', name: 'parley' });
      return new LinkedSocket(worker, { kind: 'open', user: user(), url, protocols });
    }
  };
}
