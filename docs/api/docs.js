// Shows /openapi.json and /asyncapi.json as one page. Understands what those two documents use, not
// all that their standards allow.

import { h } from './docs_dom.js';
import { Session, callForm, socketForm } from './docs_try.js';

const methods = ['get', 'post', 'put', 'patch', 'delete'];

// The little Markdown of the descriptions: paragraphs, lists, `code` and **bold**.
function prose(text) {
  if (!text) return [];
  return text.split('\n\n').map((block) => {
    const lines = block.split('\n');
    if (lines.every((l) => l.startsWith('- '))) {
      return h('ul', {}, lines.map((l) => h('li', {}, inline(l.slice(2)))));
    }
    return h('p', {}, inline(block));
  });
}

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return h('code', {}, part.slice(1, -1));
    if (part.startsWith('**')) return h('strong', {}, part.slice(2, -2));
    return part;
  });
}

class Reference {
  constructor(doc, prefix) {
    this.doc = doc;
    this.prefix = prefix; // of anchors: two documents may have schemas of one name
  }

  resolve(value) {
    if (!value?.$ref) return value;
    const path = value.$ref.slice(2).split('/').map((p) => p.replace(/~1/g, '/').replace(/~0/g, '~'));
    return this.resolve(path.reduce((node, key) => node[key], this.doc));
  }

  nameOf(value) {
    return value?.$ref?.match(/^#\/components\/schemas\/(.+)$/)?.[1] ?? null;
  }

  link(name) {
    return h('a', { href: `#${this.prefix}-schema-${name}` }, name);
  }

  // A schema as a short text with links: `Room`, `array of Id`, `string, 3 to 50 characters`.
  brief(schema) {
    const name = this.nameOf(schema);
    if (name) return this.link(name);
    const message = schema.$ref?.match(/^#\/components\/messages\/(.+)\/payload$/)?.[1];
    if (message) return h('a', { href: `#ws-${message}` }, message);
    if (schema.const !== undefined) return h('code', {}, JSON.stringify(schema.const));
    if (schema.enum) return join(schema.enum.map((v) => h('code', {}, JSON.stringify(v))), ' | ');
    const options = schema.anyOf ?? schema.oneOf;
    if (options && !schema.properties) return join(options.map((o) => this.brief(o)), ' or ');
    if (schema.allOf) return join(schema.allOf.map((o) => this.brief(o)), ' and ');
    if (schema.type === 'array') return ['array of ', this.brief(schema.items ?? {})];
    const type = Array.isArray(schema.type) ? schema.type.join(' or ') : schema.type ?? 'anything';
    return [type, schema.format ? ` (${schema.format})` : '', limits(schema)];
  }

  fields(schema) {
    const resolved = this.resolve(schema);
    const required = new Set(resolved.required ?? []);
    return h('table', { class: 'fields' },
      h('tbody', {}, Object.entries(resolved.properties ?? {}).map(([name, field]) => {
        const inner = this.nameOf(field) ? null : field;
        return h('tr', {},
          h('th', { scope: 'row' }, h('code', {}, name),
            required.has(name) ? null : h('span', { class: 'optional' }, 'optional')),
          h('td', {}, this.brief(field),
            field.default !== undefined ? [', default ', h('code', {}, JSON.stringify(field.default))] : null,
            field.description ? h('div', { class: 'muted' }, prose(field.description)) : null,
            inner?.properties ? this.fields(inner) : null));
      })));
  }

  schema(name, schema) {
    const parts = schema.allOf ?? [schema];
    return h('section', { class: 'schema', id: `${this.prefix}-schema-${name}` },
      h('h4', {}, name), prose(schema.description),
      parts.map((part) => this.nameOf(part) ? h('p', {}, 'All of ', this.link(this.nameOf(part)), ', and:')
        : part.properties ? this.fields(part) : h('p', {}, this.brief({ ...part, $ref: undefined }))),
      schema.examples ? example('Example', schema.examples[0]) : null);
  }
}

function join(nodes, separator) {
  return nodes.flatMap((node, i) => (i ? [separator, node] : [node]));
}

function limits(schema) {
  const { minLength, maxLength, minimum, maximum, maxItems } = schema;
  const range = (low, high, unit) => low !== undefined && high !== undefined ? `, ${low} to ${high}${unit}`
    : high !== undefined ? `, at most ${high}${unit}` : low !== undefined ? `, at least ${low}${unit}` : '';
  return range(minLength, maxLength, ' characters') + range(minimum, maximum, '')
    + (maxItems ? `, at most ${maxItems} entries` : '');
}

function example(title, value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return h('figure', { class: 'example' }, h('figcaption', {}, title), h('pre', { tabindex: 0 }, h('code', {}, text)));
}

function table(head, rows) {
  return h('div', { class: 'scroll' }, h('table', {},
    h('thead', {}, h('tr', {}, head.map((text) => h('th', { scope: 'col' }, text)))),
    h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell) => h('td', {}, cell)))))));
}

// --- HTTP
function httpPart(doc, session) {
  const ref = new Reference(doc, 'http');
  const operations = [];
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const method of methods) {
      if (item[method]) operations.push({ path, method, shared: item.parameters ?? [], ...item[method] });
    }
  }
  const byTag = doc.tags.map((tag) => ({ tag, list: operations.filter((o) => o.tags.includes(tag.name)) }));
  const nodes = [
    h('section', { id: 'http' }, h('h2', {}, 'HTTP'), prose(doc.info.description)),
    byTag.map(({ tag, list }) => h('section', { id: `http-${tag.name}` },
      h('h3', {}, tag.name), prose(tag.description), list.map((o) => operation(o, ref, session)))),
    h('section', { id: 'http-errors' }, h('h3', {}, 'Error codes'), errorCodes(doc)),
    h('section', { id: 'http-schemas' }, h('h3', {}, 'Schemas'),
      Object.entries(doc.components.schemas).map(([name, schema]) => ref.schema(name, schema))),
  ];
  const links = [
    { title: 'HTTP', href: '#http' },
    ...byTag.map(({ tag, list }) => ({
      title: tag.name, href: `#http-${tag.name}`,
      items: list.map((o) => ({ title: o.summary, href: `#${o.operationId}`, method: o.method })),
    })),
    { title: 'Error codes', href: '#http-errors' }, { title: 'Schemas', href: '#http-schemas' },
  ];
  return { nodes, links };
}

// The security scheme of a call: {key, name, in}, or null where no token is needed.
function schemeOf(o, doc) {
  const key = Object.keys((o.security ?? doc.security ?? [])[0] ?? {})[0];
  return key ? { key, ...doc.components.securitySchemes[key] } : null;
}

function operation(o, ref, session) {
  const parameters = [...o.shared, ...(o.parameters ?? [])].map((p) => ref.resolve(p));
  const responses = Object.entries(o.responses).map(([status, r]) => [status, ref.resolve(r)]);
  const good = responses.filter(([status, r]) => !r.content?.['application/problem+json']);
  const bad = responses.filter(([, r]) => r.content?.['application/problem+json']);
  const scheme = schemeOf(o, ref.doc);
  return h('details', { class: 'operation', id: o.operationId },
    h('summary', {}, h('span', { class: `method ${o.method}` }, o.method.toUpperCase()),
      h('code', { class: 'path' }, o.path), h('span', { class: 'summary' }, o.summary)),
    h('div', { class: 'inside' },
      prose(o.description),
      h('p', { class: 'muted' }, scheme ? inline(`Needs a token: ${scheme.description}`) : 'No token needed.'),
      parameters.length ? [h('h5', {}, 'Parameters'), table(['Name', 'In', 'Type', ''], parameters.map((p) => [
        h('code', {}, p.name), p.in, [ref.brief(p.schema), p.required ? '' : ' (optional)'],
        [prose(p.description), p.example === undefined ? null : ['e.g. ', h('code', {}, String(p.example))]],
      ]))] : null,
      o.requestBody ? [h('h5', {}, 'Body'), media(o.requestBody.content, ref)] : null,
      h('h5', {}, 'Answers'),
      good.map(([status, r]) => h('div', { class: 'answer' },
        h('p', {}, h('span', { class: `status s${status[0]}` }, status), ' ', inline(r.description)),
        media(r.content ?? {}, ref))),
      bad.length ? [h('h5', {}, 'Errors'), table(['Status', 'Codes', 'When'], bad.map(([status, r]) => [
        h('span', { class: `status s${status[0]}` }, status),
        join(Object.keys(r.content['application/problem+json'].examples).map((code) =>
          h('a', { href: `#code-${code}` }, h('code', {}, code))), ', '),
        [inline(r.description), headerNames(r)],
      ]))] : null,
      callForm({ operation: o, method: o.method, path: o.path, parameters, scheme, session,
        resolve: (value) => ref.resolve(value) })));
}

function media(content, ref) {
  return Object.entries(content).map(([type, m]) => {
    const name = ref.nameOf(m.schema);
    const examples = m.examples
      ? Object.entries(m.examples).map(([title, e]) => example(title.replace(/_/g, ' '), ref.resolve(e).value))
      : m.example === undefined ? null : example('Example', m.example);
    const schema = name ? ref.link(name) : ref.brief(m.schema);
    return h('div', {}, h('p', { class: 'muted' }, h('code', {}, type), ': ', schema), examples);
  });
}

function headerNames(response) {
  const names = Object.keys(response.headers ?? {});
  return names.length ? [' Header: ', join(names.map((n) => h('code', {}, n)), ', '), '.'] : null;
}

function errorCodes(doc) {
  return table(['Code', 'Status', 'Example of a detail'], Object.entries(doc.components.examples).map(([code, e]) => [
    h('code', { id: `code-${code}` }, code), String(e.value.status), e.value.detail]));
}

// --- WebSocket
const last = (ref) => ref.$ref.split('/').at(-1);

function channelPart(doc, ref, key, session) {
  const channel = doc.channels[key];
  const id = key === 'socket' ? 'ws' : `ws-${key}`;
  const keys = (action) => Object.values(doc.operations).filter((o) => o.action === action && last(o.channel) === key)
    .flatMap((o) => o.messages.map(last));
  const message = (name) => doc.components.messages[last(channel.messages[name])];
  const show = (name) => h('details', { class: 'operation', id: `ws-${name}` },
    h('summary', {}, h('code', { class: 'path' }, message(name).name),
      h('span', { class: 'summary' }, message(name).summary)),
    h('div', { class: 'inside' }, prose(message(name).description), ref.fields(message(name).payload),
      message(name).examples.map((e) => example('Example', e.payload))));
  const frames = keys('receive').flatMap((name) => message(name).examples.map((e) => ({
    name: message(name).name, example: e.payload })));
  const closes = channel['x-close-codes'];
  const ws = channel.bindings?.ws ?? {};
  const list = (action, part, title) => h('section', { id: `${id}-${part}` }, h('h4', {}, title),
    keys(action).map(show));
  const nodes = [
    h('section', { id: `${id}-open` }, h('h3', {}, channel.title), h('p', {}, h('code', {}, `GET ${channel.address}`)),
      prose(channel.description), ws.headers ? [h('h5', {}, 'Headers'), ref.fields(ws.headers)] : null,
      ws.query ? [h('h5', {}, 'Query'), ref.fields(ws.query)] : null,
      socketForm({ key, channel, frames, session })),
    list('receive', 'to-server', 'Client to server'), list('send', 'to-client', 'Server to client'),
    closes ? h('section', { id: `${id}-closes` }, h('h4', {}, 'Close codes'),
      table(['Code', 'Name', 'Come back by itself', 'Meaning'], closes.map((c) => [
        h('code', {}, String(c.code)), c.name, c.come_back, inline(c.meaning)]))) : null,
  ];
  const items = (action) => keys(action).map((name) => ({ title: message(name).name, href: `#ws-${name}` }));
  const links = [
    { title: channel.title, href: `#${id}-open` },
    { title: 'Client to server', href: `#${id}-to-server`, items: items('receive') },
    { title: 'Server to client', href: `#${id}-to-client`, items: items('send') },
    closes ? { title: 'Close codes', href: `#${id}-closes` } : null,
  ];
  return { nodes, links: links.filter(Boolean) };
}

function socketPart(doc, session) {
  const ref = new Reference(doc, 'ws');
  const channels = Object.keys(doc.channels).map((key) => channelPart(doc, ref, key, session));
  const meanings = doc.components.schemas.ErrorCode['x-meanings'];
  const nodes = [
    h('section', { id: 'ws' }, h('h2', {}, 'WebSocket'), prose(doc.info.description)),
    channels.flatMap((c) => c.nodes),
    h('section', { id: 'ws-errors' }, h('h3', { id: 'ws-schema-ErrorCode' }, 'Error codes'),
      table(['Code', 'Meaning'], Object.entries(meanings).map(([code, text]) => [h('code', {}, code), inline(text)]))),
    h('section', { id: 'ws-schemas' }, h('h3', {}, 'Schemas'),
      Object.entries(doc.components.schemas).filter(([name]) => name !== 'ErrorCode')
        .map(([name, schema]) => ref.schema(name, schema))),
  ];
  const links = [
    { title: 'WebSocket', href: '#ws' }, ...channels.flatMap((c) => c.links),
    { title: 'Error codes', href: '#ws-errors' }, { title: 'Schemas', href: '#ws-schemas' },
  ];
  return { nodes, links };
}

// --- the page
function navigation(links) {
  return h('ul', {}, links.map((link) => h('li', {},
    h('a', { href: link.href, class: link.href.match(/^#(http|ws)$/) ? 'part' : null }, link.title),
    link.items ? h('ul', {}, link.items.map((item) => h('li', {}, h('a', { href: item.href },
      item.method ? h('span', { class: `method small ${item.method}` }, item.method.toUpperCase()) : null,
      item.title)))) : null)));
}

function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const details = target.closest('details');
  if (details) details.open = true;
  target.scrollIntoView();
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function main() {
  const content = document.getElementById('content');
  try {
    const [http, socket] = await Promise.all([load('/openapi.json'), load('/asyncapi.json')]);
    const session = new Session();
    for (const [key, scheme] of Object.entries(http.components.securitySchemes)) {
      if (scheme.in !== 'query') session.addField(key, key === 'bearer' ? 'Access token' : 'Classic token');
    }
    const parts = [httpPart(http, session), socketPart(socket, session)];
    content.replaceChildren(h('header', { class: 'top' }, h('h1', {}, 'Parley API'),
      h('p', { class: 'muted' }, `Version ${http.info.version}. The documents: `,
        h('a', { href: '/openapi.json' }, 'openapi.json'), ', ',
        h('a', { href: '/asyncapi.json' }, 'asyncapi.json'), ', ',
        h('a', { href: '/postman.json', download: 'parley.postman_collection.json' }, 'Postman collection'), '.')),
    session.node, ...parts.flatMap((p) => p.nodes).flat(9));
    document.getElementById('nav').append(h('a', { href: '/', class: 'home' }, 'Parley'),
      h('details', { class: 'contents', open: matchMedia('(min-width: 901px)').matches },
        h('summary', {}, 'Contents'), navigation([{ title: 'Try it', href: '#try' }]),
        parts.map((p) => navigation(p.links))));
    addEventListener('hashchange', follow);
    follow();
  } catch (error) {
    content.replaceChildren(h('p', { role: 'alert' },
      `The API documents could not be loaded (${error.message}). Reload the page to try again.`));
  }
}

main();
