// Line icons on a grid of 24, drawn with the colour of the text.
const PATHS = {
  back: 'M19 12H5m6-7-7 7 7 7',
  down: 'M12 5v14m7-7-7 7-7-7',
  up: 'M12 19V5m-7 7 7-7 7 7',
  close: 'M6 6l12 12M18 6 6 18',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm9 16-4-4',
  hash: 'M9 4 7 20M17 4l-2 16M4 9h17M3 15h17',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1Z',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 9c0-3.3 2.7-6 6-6s6 2.7 6 6m1-16a3.5 3.5 0 0 1 0 7m2 3c2 1 3 3.2 3 6',
  send: 'M5 12 4 4l17 8-17 8 1-8Zm0 0h8',
  smile: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM8.5 14.5c.8 1.2 2 2 3.500 2s2.700-.8 3.500-2M9 9.500v.5m6-.5v.5',
  react: 'M20.500 10a9 9 0 1 1-6.500-6.800M8.500 14.500c.8 1.200 2 2 3.500 2s2.700-.8 3.500-2M9 9.500v.5m6-.5v.5M19 2v6m-3-3h6',
  reply: 'M9 7 4 12l5 5m-5-5h9a7 7 0 0 1 7 7',
  edit: 'M4 20h4L19 9l-4-4L4 16v4Zm9-13 4 4',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13m-7 4v5m4-5v5',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  copy: 'M9 9h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V10a1 1 0 0 1 1-1ZM5 15H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v1',
  attach: 'm20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400L14.500 7',
  file: 'M14 3H6a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V8l-5-5Zm0 0v5h5',
  download: 'M12 4v11m-5-4 5 5 5-5M4 20h16',
  gear: 'M4 7h9m4 0h3M4 17h3m4 0h9M15 4.500v5M9 14.500v5',
  exit: 'M14 4H5v16h9m-4-8h11m-4-4 4 4-4 4',
  shield: 'M12 3 5 6v5c0 4.500 3 8.200 7 10 4-1.800 7-5.500 7-10V6l-7-3Z',
  bell: 'M6 16V11a6 6 0 1 1 12 0v5l2 2H4l2-2Zm4 2a2 2 0 0 0 4 0',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4v5l3 2',
  alert: 'M12 4 2.500 20h19L12 4Zm0 6v4m0 3v.5',
  check: 'm5 12 5 5L20 7',
  retry: 'M20 11a8 8 0 1 0-2 6m2-12v6h-6',
  play: 'M7 4v16l13-8L7 4Z',
  keyboard: 'M4 6h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1Zm3 4h.01M11 10h.01M15 10h.01M8 14h8m2-4h.01',
  next: 'm9 5 7 7-7 7',
  previous: 'm15 5-7 7 7 7',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
