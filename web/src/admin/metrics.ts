// The server's metrics (Prometheus text), with what they were a moment ago.
import { client } from '@/app/client';
import { useEffect } from 'preact/hooks';
import { useAsked } from '@/ui/hooks';

const EVERY_MS = 5_000;
const KEPT = 60;

export class Sample {
  readonly at = Date.now();
  #values = new Map<string, number>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (!found) continue;
      const [, name, labels, value] = found;
      if (labels) this.#values.set(`${name}{${labels}}`, Number(value));
      this.#values.set(name!, (this.#values.get(name!) ?? 0) + Number(value));
    }
  }

  /** Of one series when labels are given, else of all together. */
  get(name: string, labels?: string): number | undefined {
    return this.#values.get(labels ? `${name}{${labels}}` : name);
  }
}

export interface Health {
  alive: boolean;
  /** null: could not be asked. */
  missing: string[] | null;
  now: Sample | null;
}

let samples: Sample[] = [];

async function ask(path: string, signal: AbortSignal): Promise<Response | null> {
  return fetch(client.url + path, { signal, cache: 'no-store', credentials: 'omit' }).catch(() => null);
}

async function readHealth(signal: AbortSignal): Promise<Health> {
  const [alive, ready, metrics] = await Promise.all([ask('/healthz', signal), ask('/readyz', signal), ask('/metrics', signal)]);
  const body = await ready?.json().catch(() => null) as { missing?: string[] } | null | undefined;
  let now: Sample | null = null;
  if (metrics?.ok) {
    now = new Sample(await metrics.text());
    samples = [...samples, now].slice(-KEPT);
  }
  return { alive: Boolean(alive?.ok), missing: Array.isArray(body?.missing) ? body.missing : null, now };
}

/** Asked again every few seconds, while somebody can see it. */
export function useHealth(): Health | undefined {
  const { value, again } = useAsked(readHealth, []);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || again(), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return value;
}

/** A second, between each two readings; the newest is the last. */
export function ratesOf(name: string): number[] {
  return samples.slice(1).map((sample, i) => {
    const before = samples[i]!;
    const grown = (sample.get(name) ?? 0) - (before.get(name) ?? 0);
    return Math.max(0, grown / Math.max(0.001, (sample.at - before.at) / 1000));
  });
}

export function valuesOf(name: string, labels?: string): number[] {
  return samples.map((sample) => sample.get(name, labels) ?? 0);
}
