// A file on its way to a room: a ticket of the server, then the bytes to where the ticket says. Small ones go in one
// PUT that is bound to their SHA-256; large ones in pieces (tus 1.0, or the parts of an object store), so that a lost
// connection costs one piece and not the whole.
import type { AccountCalls } from './account_calls.js';
import { Emitter } from './emitter.js';
import { ParleyError, asError } from './errors.js';
import { problem } from './rest.js';

const WHOLE_MAX = 16 * 1024 * 1024;
const PIECE = 4 * 1024 * 1024;
const TRIES = 5;
const WAIT_MS = 500;
const STALLED_MS = 120_000;

export interface UploadOptions {
  /** The file's own, where it is a `File`. */
  filename?: string;
  /** The blob's own. */
  content_type?: string;
}

interface Target {
  method: string;
  url: string;
  headers?: Record<string, string>;
}

interface Ticket {
  media_id: string;
  upload: Target & {
    resumable?: boolean;
    part_size?: number;
    parts?: (Omit<Target, 'method'> & { number: number })[];
    complete?: Target;
  };
}

interface Answer {
  status: number;
  text: string;
  header(name: string): string | null;
}

export class Upload extends Emitter<{ change: Upload }> {
  /** After `failed`: `retry()`. */
  state: 'uploading' | 'done' | 'failed' | 'cancelled' = 'uploading';
  /** Bytes that are there. */
  loaded = 0;
  readonly total: number;
  error: ParleyError | null = null;
  /** Once done: for `room.send({ media_id, content })`. */
  mediaId: string | null = null;
  /** The media's id; rejects where it failed or was cancelled. After `retry()` it is another one. */
  done!: Promise<string>;
  #abort = new AbortController();
  #ticket: Ticket | null = null;
  #parts = 0;

  /** @internal */
  constructor(
    readonly client: AccountCalls<any>,
    /** null: a picture of oneself, which is in no room. */
    readonly roomId: string | null, readonly file: Blob, readonly options: UploadOptions,
  ) {
    super();
    this.total = file.size;
    this.#begin();
  }

  cancel(): void {
    if (this.state === 'done' || this.state === 'cancelled') return;
    this.#set('cancelled');
    this.#abort.abort();
  }

  /** Goes on where it was, as far as the server has it. */
  retry(): void {
    if (this.state === 'failed' || this.state === 'cancelled') this.#begin();
  }

  #begin(): void {
    this.#abort = new AbortController();
    this.error = null;
    this.#set('uploading');
    this.done = this.#run(this.#abort.signal);
    this.done.catch(() => {});
  }

  async #run(signal: AbortSignal): Promise<string> {
    for (let failures = 0; ; ) {
      const before = this.loaded;
      try {
        const mediaId = await this.#try(signal);
        this.mediaId = mediaId;
        this.#progress(this.total);
        this.#set('done');
        return mediaId;
      } catch (thrown) {
        const error = signal.aborted ? new ParleyError('cancelled') : asError(thrown);
        // Not for ever at the same place.
        failures = this.loaded > before ? 1 : failures + 1;
        if (!error.passing || failures >= TRIES) {
          if (!signal.aborted) {
            this.error = error;
            this.#set('failed');
          }
          throw error;
        }
        await new Promise((go) => setTimeout(go, error.retryAfterMs || WAIT_MS * 2 ** failures * Math.random()));
      }
    }
  }

  async #try(signal: AbortSignal): Promise<string> {
    const ticket = (this.#ticket ??= await this.#newTicket(signal));
    const { upload } = ticket;
    try {
      if (upload.parts) await this.#inParts(ticket, signal);
      else if (upload.resumable && this.total > WHOLE_MAX) await this.#resumable(upload, signal);
      else await this.#expect(upload, this.file, 0, signal);
    } catch (thrown) {
      // A ticket for one PUT is spent; others when the store does not know them any more.
      const { status } = asError(thrown);
      const isOver = [401, 403, 404, 410].includes(status);
      if (isOver || (!upload.parts && !(upload.resumable && this.total > WHOLE_MAX))) {
        this.#ticket = null;
        this.#parts = 0;
        this.#progress(0);
      }
      throw isOver ? new ParleyError('upload_failed', 'the ticket has ended', status) : thrown;
    }
    return ticket.media_id;
  }

  async #newTicket(signal: AbortSignal): Promise<Ticket> {
    const { file } = this;
    const filename = this.options.filename ?? (file as File).name ?? 'file';
    const content_type = this.options.content_type ?? (file.type || 'application/octet-stream');
    const sha256 = file.size <= WHOLE_MAX ? await digest(file) : undefined;
    const body = { filename, content_type, size: file.size, ...(sha256 && { sha256 }) };
    const call = this.client.call as unknown as (...rest: unknown[]) => Promise<unknown>;
    const { roomId } = this;
    return await (roomId
      ? call.call(this.client, 'POST /v1/rooms/{room_id}/media', { path: { room_id: roomId }, body }, signal)
      : call.call(this.client, 'POST /v1/me/avatar', { body }, signal)) as Ticket;
  }

  async #inParts({ upload }: Ticket, signal: AbortSignal): Promise<void> {
    const { part_size = PIECE, parts = [], complete } = upload;
    for (const part of parts.slice(this.#parts)) {
      const start = (part.number - 1) * part_size;
      await this.#expect({ method: 'PUT', ...part }, this.file.slice(start, start + part_size), start, signal);
      this.#parts++;
    }
    if (!complete) return;
    // Of this server, or of the store.
    if (complete.url.startsWith('/')) await this.client.exchange(complete.method, this.client.url + complete.url);
    else await this.#expect(complete, null, this.total, signal);
  }

  async #resumable({ url, headers }: Target, signal: AbortSignal): Promise<void> {
    const tus = { ...headers, 'Tus-Resumable': '1.0.0' };
    const offsetOf = (answer: Answer) => Number(answer.header('Upload-Offset') ?? 0);
    let offset = offsetOf(await this.#expect({ method: 'HEAD', url, headers: tus }, null, this.loaded, signal));
    while (offset < this.total) {
      this.#progress(offset);
      const piece = this.file.slice(offset, offset + PIECE);
      const more = { ...tus, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' };
      const now = offsetOf(await this.#expect({ method: 'PATCH', url, headers: more }, piece, offset, signal));
      if (now <= offset) throw new ParleyError('upload_failed', 'the server did not take a piece');
      offset = now;
    }
  }

  async #expect(target: Target, body: Blob | null, start: number, signal: AbortSignal): Promise<Answer> {
    const url = new URL(target.url, this.client.url).href;
    const stalled = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), STALLED_MS);
    };
    const told = (bytes: number) => {
      watch();
      this.#progress(start + bytes);
    };
    const stop = () => stalled.abort();
    signal.addEventListener('abort', stop);
    watch();
    if (signal.aborted) stop();
    const answer = await exchange(target.method, url, target.headers ?? {}, body, told, stalled.signal).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    });
    if (answer.status < 300) return answer;
    const error = problem(answer.status, answer.text, answer.header('Retry-After'));
    throw answer.status === 409 || answer.status === 408
      ? new ParleyError('upload_failed', error.detail, answer.status) : error;
  }

  #progress(loaded: number): void {
    this.loaded = loaded;
    this.emit('change', this);
  }

  #set(state: Upload['state']): void {
    this.state = state;
    this.emit('change', this);
  }
}

/** Lower-case hex; nothing where the page is not secure and has no way to compute it. */
async function digest(file: Blob): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle) return undefined;
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

// A browser tells how far an upload is only through XMLHttpRequest.
function exchange(
  method: string, url: string, headers: Record<string, string>, body: Blob | null, told: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Answer> {
  if (!globalThis.XMLHttpRequest) return exchangeByFetch(method, url, headers, body, told, signal);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const cancel = () => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => told(loaded);
    request.onload = () => resolve({
      status: request.status, text: request.responseText, header: (name) => request.getResponseHeader(name),
    });
    request.onerror = request.onabort = () => reject(new ParleyError(signal.aborted ? 'timeout' : 'offline'));
    request.onloadend = () => signal.removeEventListener('abort', cancel);
    signal.addEventListener('abort', cancel);
    if (signal.aborted) return reject(new ParleyError('timeout'));
    request.send(body);
  });
}

async function exchangeByFetch(
  method: string, url: string, headers: Record<string, string>, body: Blob | null, told: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const response = await fetch(url, { method, headers, body, signal });
    const text = await response.text();
    if (response.ok) told(body?.size ?? 0);
    return { status: response.status, text, header: (name) => response.headers.get(name) };
  } catch (error) {
    throw new ParleyError(signal.aborted ? 'timeout' : 'offline', String(error));
  }
}
