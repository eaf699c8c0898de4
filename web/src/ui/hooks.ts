import { useCallback, useEffect, useReducer, useRef, useState } from 'preact/hooks';

export function useRedraw(): () => void {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  return redraw as () => void;
}

interface Source<Name extends string> {
  on(name: Name, listener: () => void): () => void;
}

/** Draws again whenever the source says so. */
export function useEvent<Name extends string>(source: Source<Name> | null | undefined, ...names: Name[]): void {
  const redraw = useRedraw();
  useEffect(() => {
    if (!source) return undefined;
    const offs = names.map((name) => source.on(name, redraw));
    redraw(); // what happened between the drawing and now
    return () => offs.forEach((off) => off());
  }, [source]);
}

/** Runs `act` at each event, with the newest closure. */
export function useLatest<Args extends unknown[], Result>(act: (...args: Args) => Result): (...args: Args) => Result {
  const latest = useRef(act);
  latest.current = act;
  return useCallback((...args: Args) => latest.current(...args), []);
}

export function useGlobalKey(act: (event: KeyboardEvent) => void): void {
  const latest = useLatest(act);
  useEffect(() => {
    addEventListener('keydown', latest);
    return () => removeEventListener('keydown', latest);
  }, []);
}

/** A value that is asked for when `keys` change; `again` asks anew. */
export function useAsked<Value>(ask: (signal: AbortSignal) => Promise<Value>, keys: unknown[]):
  { value: Value | undefined; error: unknown; again: () => void } {
  const [state, setState] = useState<{ value?: Value | undefined; error?: unknown }>({});
  const [round, again] = useReducer<number, void>((count) => count + 1, 0);
  const latest = useLatest(ask);
  useEffect(() => {
    const abort = new AbortController();
    latest(abort.signal).then(
      (value) => abort.signal.aborted || setState({ value }),
      (error) => abort.signal.aborted || setState(({ value }) => ({ value, error })),
    );
    return () => abort.abort();
  }, [...keys, round]);
  return { value: state.value, error: state.error, again: again as () => void };
}

/** Ticks while `running`: for counters of seconds. */
export function useTick(running: boolean, everyMs = 1000): void {
  const redraw = useRedraw();
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(redraw, everyMs);
    return () => clearInterval(timer);
  }, [running, everyMs]);
}
