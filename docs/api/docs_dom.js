// Makes an element: properties that begin with `on` are listeners, true is an empty attribute, nothing is left out.
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false && c !== ''));
  return node;
}
