// One HTTP exchange with the server: JSON there, JSON or an ApiError back.
import { ApiError } from './errors.js';

const timeoutMs = 20_000;

export async function exchange(method, path, { body, token } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  let response, text;
  try {
    response = await fetch(path, {
      method, headers, signal: abort.signal, cache: 'no-store', credentials: 'omit',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    text = await response.text();
  } catch {
    throw new ApiError(abort.signal.aborted ? 'timeout' : 'offline');
  } finally {
    clearTimeout(timer);
  }
  const value = parse(text);
  if (response.ok) return value;
  throw new ApiError(value?.code ?? (response.status >= 500 ? 'unavailable' : `http_${response.status}`),
    value?.detail, {
      status: response.status,
      retryAfterMs: Number(response.headers.get('Retry-After') ?? 0) * 1000 || 0,
    });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
