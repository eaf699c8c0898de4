import type * as live from './generated/live.js';
import type * as rest from './generated/rest.js';

/** What a server says, and what only a client can know. */
export type ErrorCode = rest.ErrorCode | live.ErrorCode | 'offline' | 'timeout' | 'disconnected' | 'signed_out'
  | 'cancelled' | 'outbox_full' | 'upload_failed' | 'stopped';

const PASSING = ['offline', 'timeout', 'disconnected', 'rate_limited', 'unavailable', 'media_unavailable', 'internal',
  'upload_failed'];

/** The only error that this package throws. Program against `code`. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  constructor(
    readonly code: ErrorCode,
    /** One sentence for a person. May change. */
    readonly detail: string = code,
    /** Of an HTTP answer. */
    readonly status = 0,
    /** When to try again, where the server said it. */
    readonly retryAfterMs = 0,
  ) {
    super(`${code}: ${detail}`);
  }

  /** The same may work later. */
  get passing(): boolean {
    return PASSING.includes(this.code);
  }
}

export function asError(thrown: unknown): ParleyError {
  return thrown instanceof ParleyError ? thrown : new ParleyError('internal', String(thrown));
}
