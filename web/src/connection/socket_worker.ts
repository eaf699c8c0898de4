import { Link, Upstream, type Up } from './hub';

const upstreams = new Map<string, Upstream>();
let links = 0;

function serve(port: MessagePort): void {
  const link = new Link(++links, (message) => port.postMessage(message));
  let upstream: Upstream | null = null;
  port.onmessage = ({ data }: MessageEvent<Up>) => {
    if (data.kind === 'text') upstream?.take(link, data.text);
    else if (data.kind === 'close') leave();
    else {
      leave();
      upstream = upstreamOf(data.user, data.url, data.protocols);
      upstream.join(link);
      // Granted once the tab is gone, however it went.
      void navigator.locks.request(data.lock, leave);
    }
  };
  function leave(): void {
    upstream?.leave(link);
    upstream = null;
  }
}

function upstreamOf(user: string, url: string, protocols: string[]): Upstream {
  const known = upstreams.get(user);
  if (known) return known;
  const made: Upstream = new Upstream(url, protocols, () => {
    if (upstreams.get(user) === made) upstreams.delete(user);
  });
  upstreams.set(user, made);
  return made;
}

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = ({ ports }) => serve(ports[0]!);
