// Building the page. Text only ever becomes a text node: nothing that a user wrote is read as markup.

// h('button', {class: 'x', onclick: f, 'aria-label': 'Close'}, 'text', node, null)
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'class') node.className = value;
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

// Makes `parent` hold exactly `nodes`, moving as little as possible, so that focus and scrolling stay.
export function setChildren(parent, nodes) {
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const paths = {
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4',
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-3.5 2.5-6 6-6s6 2.5 6 6'
    + 'M16 4.5a3.5 3.5 0 0 1 0 6.5M17.5 14.5c2 .8 3.5 2.8 3.5 5.5',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  send: 'M5 12h13M12 5l7 7-7 7',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6z',
  hash: 'M9 4L7 20M17 4l-2 16M4 9h16M4 15h16',
  exit: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
  down: 'M12 5v14M6 13l6 6 6-6',
};

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onclick, more = {}) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...more },
    icon(name));
}

// The low bits of an id are nearly always the same: they count within one millisecond.
function hueOf(id) {
  return Number(BigInt.asUintN(64, BigInt(id) * 0x9e3779b97f4a7c15n) >> 61n);
}

export function avatar(id, name, { online } = {}) {
  const hue = hueOf(id);
  const initial = Array.from(name)[0]?.toUpperCase() ?? '?';
  return h('span', { class: `avatar hue-${hue}`, 'aria-hidden': 'true' }, initial,
    online === undefined ? null : h('span', { class: online ? 'dot online' : 'dot' }));
}

// Text with its http(s) addresses as links; any other scheme stays text.
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g)) {
    parts.push(text.slice(end, match.index),
      h('a', { href: match[0], target: '_blank', rel: 'noopener noreferrer' }, match[0]));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

export function timeText(time) {
  return clock.format(new Date(time));
}

export function fullTimeText(time) {
  return new Date(time).toLocaleString();
}

export function dayKey(time) {
  return new Date(time).toDateString();
}

export function dayText(time) {
  const date = new Date(time);
  const now = new Date();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (dayKey(date) === dayKey(now)) return 'Today';
  if (dayKey(date) === dayKey(yesterday)) return 'Yesterday';
  return (date.getFullYear() === now.getFullYear() ? day : dayAndYear).format(date);
}

export function shortTimeText(time) {
  return dayKey(time) === dayKey(new Date()) ? timeText(time) : shortDay.format(new Date(time));
}
