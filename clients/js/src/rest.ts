// One HTTP exchange: JSON there, JSON or a ParleyError back.
import { ParleyError } from './errors.js';
import type { Calls } from './generated/rest.js';

const TIMEOUT_MS = 20_000;

export type CallName = keyof Calls;
/** What a call takes: `path`, `query` and `body`, as its entry in `Calls` has them. */
export type CallInput<Name extends CallName> = Omit<Calls[Name], 'answer'>;
export type CallAnswer<Name extends CallName> = Calls[Name]['answer'];
export type CallArguments<Name extends CallName> = object extends CallInput<Name>
  ? [input?: CallInput<Name>, signal?: AbortSignal]
  : [input: CallInput<Name>, signal?: AbortSignal];

interface AnyInput {
  path?: Record<string, string>;
  query?: Record<string, unknown>;
  body?: unknown;
}

export type Fetch = typeof globalThis.fetch;

export class Http {
  constructor(readonly base: string, readonly fetch: Fetch) {}

  async call<Name extends CallName>(
    name: Name, input?: CallInput<Name>, token?: string, signal?: AbortSignal,
  ): Promise<CallAnswer<Name>> {
    const { path = {}, query = {}, body } = (input ?? {}) as AnyInput;
    const [method, pattern] = name.split(' ') as [string, string];
    const url = new URL(this.base + pattern.replace(/\{(\w+)\}/g, (_, key) => encodeURIComponent(path[key] ?? '')));
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) url.searchParams.set(key, String(value));
    }
    const headers: Record<string, string> = {};
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    return await this.exchange(url, {
      method, headers, cache: 'no-store', credentials: 'omit', body: body === undefined ? null : JSON.stringify(body),
    }, signal) as CallAnswer<Name>;
  }

  /** The body is not read here: it may be large. */
  async file(url: string, token: string, signal: AbortSignal | null = null): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetch(url, { headers: { Authorization: `Bearer ${token}` }, credentials: 'omit', signal });
    } catch (error) {
      throw new ParleyError(signal?.aborted ? 'cancelled' : 'offline', String(error));
    }
    if (response.ok) return response;
    throw problem(response.status, await response.text().catch(() => ''), response.headers.get('Retry-After'));
  }

  async exchange(url: URL | string, init: RequestInit, signal?: AbortSignal): Promise<unknown> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
    const cancel = () => abort.abort();
    signal?.addEventListener('abort', cancel);
    try {
      if (signal?.aborted) cancel();
      const response = await this.fetch(url, { ...init, signal: abort.signal });
      const text = await response.text();
      if (response.ok) return text ? JSON.parse(text) : undefined;
      throw problem(response.status, text, response.headers.get('Retry-After'));
    } catch (error) {
      if (error instanceof ParleyError) throw error;
      const code = signal?.aborted ? 'cancelled' : abort.signal.aborted ? 'timeout' : 'offline';
      throw new ParleyError(code, String(error));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }
}

export function problem(status: number, text: string, retryAfter: string | null): ParleyError {
  let body: { code?: ParleyError['code']; detail?: string } = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // A proxy's page.
  }
  const code = body.code ?? (status === 429 ? 'rate_limited' : status >= 500 ? 'unavailable' : 'invalid_field');
  return new ParleyError(code, body.detail ?? `HTTP ${status}`, status, Number(retryAfter ?? 0) * 1000 || 0);
}
