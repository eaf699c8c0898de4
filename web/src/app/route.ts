// What the address says is shown: #/r/ROOM, #/admin, or nothing.
import { Emitter } from './emitter';

export type Route = { page: 'home' } | { page: 'room'; id: string } | { page: 'admin'; tab: string };

class Router extends Emitter<{ change: void }> {
  route: Route = parse(location.hash);

  start(): void {
    addEventListener('hashchange', () => {
      this.route = parse(location.hash);
      this.emit('change', undefined);
    });
  }

  go(hash: string, replace = false): void {
    if (location.hash === hash) return;
    if (replace) {
      history.replaceState(null, '', hash);
      this.route = parse(hash);
      this.emit('change', undefined);
    } else location.hash = hash;
  }
}

function parse(hash: string): Route {
  const room = /^#\/r\/([1-9]\d{0,18})$/.exec(hash);
  if (room) return { page: 'room', id: room[1]! };
  const admin = /^#\/admin(?:\/(\w+))?$/.exec(hash);
  if (admin) return { page: 'admin', tab: admin[1] ?? 'overview' };
  return { page: 'home' };
}

export const router = new Router();
export const toRoom = (id: string) => router.go(`#/r/${id}`);
export const toHome = (replace = false) => router.go('#/', replace);
