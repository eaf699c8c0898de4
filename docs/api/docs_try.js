// The part of /docs that sends: a form for each call, and a socket. It talks to the server that the page came
// from, and keeps tokens in this page only.

import { h } from './docs_dom.js';

// The tokens that the calls use, by security scheme; each is a field of the page, filled from the answers of sign-in.
export class Session {
  constructor() {
    this.fields = new Map();
    this.node = h('section', { id: 'try', 'aria-label': 'Try it' }, h('h2', {}, 'Try it'),
      h('p', {}, 'Each call below has a form that sends it to this server, and each socket can be opened. Sign up or '
        + 'log in there first: the token of the answer is taken over. Reloading the page forgets it.'));
  }

  addField(scheme, label) {
    if (this.fields.has(scheme)) return;
    const field = h('input', { id: `token-${scheme}`, autocomplete: 'off', spellcheck: 'false' });
    this.fields.set(scheme, field);
    this.node.append(h('div', { class: 'field' }, h('label', { for: field.id }, label), field));
  }

  token(scheme) {
    return this.fields.get(scheme)?.value.trim() ?? '';
  }

  learn(body) {
    const take = (scheme, token) => {
      if (typeof token === 'string' && this.fields.has(scheme)) this.fields.get(scheme).value = token;
    };
    take('bearer', body?.access_token);
    take('classicHeader', body?.token);
  }
}

function labelled(id, label, input) {
  input.id = id;
  return h('div', { class: 'field' }, h('label', { for: id }, label), input);
}

// JSON with line breaks. Numbers stay as they were written: the ids of the classic surface are longer than a number of
// JavaScript can be.
function pretty(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  const broken = () => `\n${'  '.repeat(depth)}`;
  return text.replace(/"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[^\s"]|\s+/g, (part) => {
    if (part === '{' || part === '[') {
      depth += 1;
      return part + broken();
    }
    if (part === '}' || part === ']') {
      depth -= 1;
      return broken() + part;
    }
    if (part === ',') return part + broken();
    if (part === ':') return ': ';
    return part.trim() === '' ? '' : part;
  });
}

function exampleOf(content, resolve) {
  const media = content?.['application/json'];
  if (!media) return null;
  return media.example ?? Object.values(media.examples ?? {}).map((e) => resolve(e).value)[0] ?? {};
}

// A form for one call. `parameters` are resolved; `scheme` is null for a call without a token, else
// {name, in, header} of its security.
export function callForm({ operation, method, path, parameters, scheme, resolve, session }) {
  const id = operation.operationId;
  const fields = parameters.filter((p) => p.in === 'path' || p.in === 'query').map((p) => ({
    ...p, input: h('input', {
      autocomplete: 'off', spellcheck: 'false', required: p.in === 'path',
      placeholder: p.example === undefined ? null : String(p.example),
    }),
  }));
  const sample = exampleOf(operation.requestBody?.content, resolve);
  const text = JSON.stringify(sample, null, 2);
  const body = sample === null ? null
    : h('textarea', { rows: Math.min(12, text.split('\n').length + 1), spellcheck: 'false' });
  if (body) body.value = text;
  const status = h('p', { class: 'try-status' });
  const shown = h('pre', { tabindex: 0, hidden: true });
  const button = h('button', { type: 'submit' }, 'Send');
  const values = (where) => fields.filter((f) => f.in === where && f.input.value !== '');

  const send = async () => {
    const value = (name) => fields.find((f) => f.name === name).input.value;
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(value(name)));
    const query = new URLSearchParams(values('query').map((f) => [f.name, f.input.value]));
    const headers = {};
    const token = scheme ? session.token(scheme.key) : '';
    if (token && scheme.key === 'bearer') headers.Authorization = `Bearer ${token}`;
    else if (token && scheme.in === 'header') headers[scheme.name] = token;
    const options = { method: method.toUpperCase(), headers };
    // A browser sends no body with GET: there the classic calls take the same fields as the query.
    if (body && method !== 'get') {
      headers['Content-Type'] = 'application/json';
      options.body = body.value;
    }
    const started = performance.now();
    const answer = await fetch(filled + (query.size ? `?${query}` : ''), options);
    const came = await answer.text();
    status.textContent = `${answer.status} ${answer.statusText} in ${Math.round(performance.now() - started)} ms`;
    status.className = `try-status s${String(answer.status)[0]}`;
    shown.textContent = pretty(came);
    shown.hidden = came === '';
    if (answer.ok && (answer.headers.get('Content-Type') ?? '').includes('json')) session.learn(JSON.parse(came));
  };
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await send();
    } catch (error) {
      status.textContent = `No answer: ${error.message}`;
      status.className = 'try-status s5';
    } finally {
      button.disabled = false;
    }
  };
  return h('form', { class: 'try', 'aria-label': `Try ${operation.summary}`, onsubmit: submit },
    h('h5', {}, 'Try it'),
    fields.map((f) => labelled(`try-${id}-${f.name}`, f.name + (f.in === 'path' ? '' : ' (optional)'), f.input)),
    body ? labelled(`try-${id}-body`, 'Body', body) : null,
    h('div', { class: 'try-line' }, button, h('div', { role: 'status' }, status)), shown);
}

// A socket of one channel: open, send a frame made from an example, watch what comes.
export function socketForm({ key, channel, frames, session }) {
  const query = Object.entries(channel.bindings?.ws?.query?.properties ?? {}).filter(([name]) => name !== 'token')
    .map(([name]) => ({ name, input: h('input', { autocomplete: 'off', spellcheck: 'false' }) }));
  const usesQueryToken = Boolean(channel.bindings?.ws?.query?.properties?.token);
  const state = h('p', { class: 'try-status' }, 'Not connected.');
  const log = h('ol', { class: 'frames', role: 'log', 'aria-label': 'Frames', tabindex: 0 });
  const text = h('textarea', { rows: 6, spellcheck: 'false' });
  const choice = h('select', {}, frames.map((f, i) => h('option', { value: i }, f.name)));
  const pick = () => { text.value = JSON.stringify(frames[choice.value].example, null, 2); };
  choice.addEventListener('change', pick);
  if (frames.length) pick();
  let socket = null;

  const note = (direction, data) => {
    log.append(h('li', { class: direction }, h('span', { class: 'muted' }, direction === 'in' ? 'received' : 'sent'),
      h('pre', {}, pretty(data))));
    while (log.children.length > 200) log.firstChild.remove();
    log.scrollTop = log.scrollHeight;
  };
  const connect = () => {
    socket?.close();
    const address = new URL(channel.address, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    for (const { name, input } of query) if (input.value) address.searchParams.set(name, input.value);
    if (usesQueryToken) address.searchParams.set('token', session.token('classicHeader'));
    const token = session.token('bearer');
    const protocols = ['parley.v1', ...(token ? [`bearer.${token}`] : [])];
    const mine = socket = usesQueryToken ? new WebSocket(address) : new WebSocket(address, protocols);
    state.textContent = 'Connecting…';
    mine.onopen = () => { state.textContent = 'Connected.'; };
    mine.onmessage = (event) => note('in', event.data);
    mine.onclose = (event) => {
      if (mine === socket) state.textContent = `Closed with ${event.code}${event.reason ? `: ${event.reason}` : ''}.`;
    };
  };
  const send = (event) => {
    event.preventDefault();
    if (socket?.readyState !== WebSocket.OPEN) {
      state.textContent = 'Not connected: connect first.';
      return;
    }
    socket.send(text.value);
    note('out', text.value);
  };
  return h('form', { class: 'try', id: `try-${key}`, 'aria-label': `Try ${channel.title}`, onsubmit: send },
    h('h5', {}, 'Try it'),
    query.map((q) => labelled(`try-${key}-${q.name}`, q.name, q.input)),
    h('div', { class: 'try-line' }, h('button', { type: 'button', onclick: connect }, 'Connect'),
      h('button', { type: 'button', onclick: () => socket?.close(1000) }, 'Disconnect'),
      h('div', { role: 'status' }, state)),
    labelled(`try-${key}-choice`, 'Frame', choice), labelled(`try-${key}-frame`, 'Text', text),
    h('div', { class: 'try-line' }, h('button', { type: 'submit' }, 'Send frame')), log);
}
