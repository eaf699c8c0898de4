// A person's initials on a colour that is always theirs.
const COLOURS = 10;

function colourOf(id: string): number {
  let sum = 0;
  for (let i = 0; i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0;
  return sum % COLOURS;
}

function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0]!, words[1]!].map((word) => [...word][0]) : [...(words[0] ?? '?')].slice(0, 1);
  return letters.join('').toUpperCase();
}

export function Avatar({ id, name, online, size = '' }: { id: string; name: string; online?: boolean | undefined; size?: string }) {
  return (
    <span class={`avatar colour-${colourOf(id)} ${size}`} aria-hidden="true">
      {initialsOf(name)}
      {online !== undefined && <span class={`dot ${online ? 'is-online' : ''}`} />}
    </span>
  );
}
