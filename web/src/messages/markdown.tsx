// A safe subset of Markdown: bold, italic, struck, code, code blocks, quotes, lists, links, names. Text becomes elements
// of the page, never HTML; a link leads to http and https alone.
import type { ComponentChildren, VNode } from 'preact';
import { people } from '@/people/people';
import { myId } from '@/app/client';
import { CodeBlock } from './code_block';

const INLINE = new RegExp([
  /(?<ticks>`+)(?<code>[^`]|[^`][\s\S]*?[^`])\k<ticks>(?!`)/,
  /\*\*(?=\S)(?<bold>[\s\S]{0,1000}?\S)\*\*/,
  /(?<![\p{L}\p{N}*])\*(?=[^\s*])(?<star>[^*\n]{0,1000}?[^\s*])\*(?![\p{L}\p{N}*])/u,
  /(?<![\p{L}\p{N}_])_(?=[^\s_])(?<line>[^_\n]{0,1000}?[^\s_])_(?![\p{L}\p{N}_])/u,
  /~~(?=\S)(?<struck>[\s\S]{0,1000}?\S)~~/,
  /\[(?<label>[^\]\n]{1,300})\]\((?<target>https?:\/\/[^\s()]+)\)/,
  /(?<url>https?:\/\/[^\s<>"]+)/,
  /(?<![\p{L}\p{N}_@.])@(?<name>[\p{L}\p{N}_.-]{3,20})/u,
].map(({ source }) => source).join('|'), 'giu');

const FENCE = /^```([\w+#.-]*)\s*$/;
const QUOTE = /^>\s?/;
const POINT = /^\s{0,3}[-*•]\s+(?=\S)/;
const NUMBERED = /^\s{0,3}(\d{1,9})[.)]\s+(?=\S)/;
const ITEM = new RegExp(`${POINT.source}|${NUMBERED.source}`);

/** The blocks of a message; `tail` follows the last words. */
export function Markdown({ text, tail }: { text: string; tail?: ComponentChildren }) {
  const blocks = blocksOf(text);
  const last = blocks.at(-1);
  const inLast = last?.kind === 'text';
  return (
    <>
      {blocks.map((block, i) => <Block key={i} block={block} tail={inLast && block === last ? tail : null} />)}
      {!inLast && tail}
    </>
  );
}

type BlockData = { kind: 'text'; text: string } | { kind: 'code'; text: string; language: string }
  | { kind: 'quote'; text: string } | { kind: 'list'; ordered: boolean; start: number; items: string[] };

function Block({ block, tail }: { block: BlockData; tail: ComponentChildren }): VNode {
  switch (block.kind) {
    case 'text': return <p>{inline(block.text)}{tail}</p>;
    case 'code': return <CodeBlock text={block.text} language={block.language} />;
    case 'quote': return <blockquote><Markdown text={block.text} /></blockquote>;
    case 'list': {
      const items = block.items.map((item, i) => <li key={i}>{inline(item)}</li>);
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
  }
}

export function blocksOf(text: string): BlockData[] {
  const lines = text.split('\n');
  const blocks: BlockData[] = [];
  let plainLines: string[] = [];
  const flush = () => {
    const joined = plainLines.join('\n').replace(/^\n+|\n+$/g, '');
    if (joined) blocks.push({ kind: 'text', text: joined });
    plainLines = [];
  };
  const take = (at: number, fits: RegExp) => {
    let end = at;
    while (end < lines.length && fits.test(lines[end]!)) end++;
    return end;
  };
  for (let at = 0; at < lines.length;) {
    const line = lines[at]!;
    const fence = FENCE.exec(line);
    const end = fence ? lines.findIndex((each, i) => i > at && /^```\s*$/.test(each)) : -1;
    if (fence && end > 0) {
      flush();
      blocks.push({ kind: 'code', text: lines.slice(at + 1, end).join('\n'), language: fence[1]! });
      at = end + 1;
    } else if (QUOTE.test(line)) {
      flush();
      const stop = take(at, QUOTE);
      blocks.push({ kind: 'quote', text: lines.slice(at, stop).map((each) => each.replace(QUOTE, '')).join('\n') });
      at = stop;
    } else if (ITEM.test(line)) {
      flush();
      const number = ITEM.exec(line)![1];
      // Numbers after points, or points after numbers, are another list.
      const stop = take(at, number === undefined ? POINT : NUMBERED);
      const items = lines.slice(at, stop).map((each) => each.replace(ITEM, ''));
      blocks.push({ kind: 'list', ordered: number !== undefined, start: Number(number ?? 1), items });
      at = stop;
    } else {
      plainLines.push(line);
      at++;
    }
  }
  flush();
  return blocks;
}

function inline(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index < at) continue;
    const groups = match.groups!;
    let [whole] = match;
    let node: ComponentChildren;
    if (groups.code !== undefined) node = <code>{groups.code}</code>;
    else if (groups.bold !== undefined) node = <strong>{inline(groups.bold)}</strong>;
    else if (groups.star !== undefined || groups.line !== undefined) node = <em>{inline((groups.star ?? groups.line)!)}</em>;
    else if (groups.struck !== undefined) node = <s>{inline(groups.struck)}</s>;
    else if (groups.label !== undefined) node = <Link url={groups.target!}>{groups.label}</Link>;
    else if (groups.url !== undefined) {
      whole = withoutTail(groups.url);
      node = <Link url={whole}>{whole}</Link>;
    } else node = <Mention name={groups.name!} />;
    parts.push(text.slice(at, match.index), node);
    at = match.index + whole.length;
  }
  parts.push(text.slice(at));
  return parts;
}

function withoutTail(url: string): string {
  let end = url.replace(/[.,!?;:'’”*_~]+$/, '');
  while (end.endsWith(')') && end.split(')').length > end.split('(').length) end = end.slice(0, -1);
  return end;
}

function Link({ url, children }: { url: string; children: ComponentChildren }) {
  // The page's own rooms are opened in it.
  const own = url.startsWith(`${location.origin}/#/`);
  if (!/^https?:\/\/[^/]/i.test(url)) return <>{children}</>;
  return <a href={url} title={url} {...(own ? {} : { target: '_blank', rel: 'noopener noreferrer' })}>{children}</a>;
}

function Mention({ name }: { name: string }) {
  const trimmed = name.replace(/[.-]+$/, '');
  const known = people.named(trimmed);
  if (!known) return <>@{name}</>;
  return <><span class={`mention ${known === myId() ? 'is-me' : ''}`}>@{trimmed}</span>{name.slice(trimmed.length)}</>;
}

/** One line without marks, for previews and notifications. */
export function plain(text: string): string {
  return text.slice(0, 300).replace(/^```.*$/gm, '').replace(/^>\s?/gm, '').replace(/(\*\*|~~|`+)(?=\S)([\s\S]*?\S)\1/g, '$2')
    .replace(/\s+/g, ' ').trim();
}
