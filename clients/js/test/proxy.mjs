// A TCP proxy that cuts, one of Toxiproxy's (tools/toxiproxy.py): each connection may carry a random number of bytes
// each way, then both ends are reset in the middle of whatever they are at. It has a server of its own, which ends with
// this process.
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const tool = fileURLToPath(new URL('../../../tools/toxiproxy.py', import.meta.url));
const host = '127.0.0.1';
const TRIES = 5; // somebody else may take a port first
const DRAWN = 4; // so many limits, of which each connection has one each way, by Toxiproxy's dice
// It does nothing but that Toxiproxy, where it is, ends connections by a reset and not in good order.
const resets = { name: 'resets', type: 'reset_peer', toxicity: 0, attributes: {} };

/** Below those that the kernel gives to whoever connects: it stays free while nobody listens there for a moment. */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false)).listen(port, host, () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}

export class CuttingProxy {
  /**
   * cut(): how many bytes a connection may carry each way, or Infinity. It is asked at the start and by cutAll(), a few
   * times each. `cuts` counts the connections that ended before their client had ended them (also by the target).
   */
  constructor(port, cut = () => Infinity) {
    Object.assign(this, { target: port, cut, cuts: 0, lives: 0, turn: Promise.resolve() });
  }

  async start() {
    this.port = await freePort();
    this.url = `http://${host}:${this.port}`;
    for (let tries = 1; !(await this.#serve()); tries++) if (tries === TRIES) throw new Error('no toxiproxy-server');
    await this.cutAll();
    return this;
  }

  async stop() {
    this.process?.kill('SIGKILL');
    await this.ended;
  }

  /** All that are open are reset; new ones have limits that are drawn anew. */
  cutAll() {
    this.turn = this.turn.then(() => this.#begin());
    return this.turn;
  }

  async #serve() {
    const port = await freePort();
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
    const [program, ...words] = execFileSync('python3', [tool, 'serve', port], options).trim().split('\n');
    this.process = spawn(program, words, { env: { ...process.env, LOG_LEVEL: 'info' }, stdio: options.stdio });
    this.api = `http://${host}:${port}`;
    this.ended = new Promise((resolve) => this.process.once('error', resolve).once('exit', resolve));
    let failed = false;
    void this.ended.then(() => (failed = true));
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      if (line.includes('"Server finished with error"')) failed = true;
      // It has closed the client's side itself, and could therefore read no more from there.
      const own = line.includes('use of closed network connection');
      if (own && line.includes(`read tcp ${host}:${this.port}->`)) this.cuts++;
    });
    for (const end = Date.now() + 10_000; !failed && Date.now() < end;) {
      if (await fetch(`${this.api}/version`).then(({ ok }) => ok, () => false)) return true;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await this.stop();
    return false;
  }

  /**
   * A proxy that takes the place of the one before. (To change one that has connections is not safe: Toxiproxy waits
   * for each of them, and one that just ends may have nobody to answer for it.)
   */
  async #begin() {
    const before = this.lives && `/proxies/life-${this.lives}`;
    const name = `life-${++this.lives}`;
    const toxic = (what) => this.#call('POST', `/proxies/${name}/toxics`, what);
    const place = { listen: `${host}:${this.port}`, upstream: `${host}:${this.target}` };
    await this.#call('POST', '/proxies', { name, ...place, enabled: false });
    await toxic(resets);
    for (const stream of ['upstream', 'downstream']) {
      const limits = Array.from({ length: DRAWN }, () => this.cut()).sort((a, b) => a - b);
      for (const [i, bytes] of limits.entries()) {
        // The lowest that is in force decides: each does for as many connections.
        const how = { name: `${stream}-${i}`, type: 'limit_data', stream, toxicity: 1 / (DRAWN - i) };
        if (bytes < Infinity) await toxic({ ...how, attributes: { bytes } });
      }
    }
    if (before) await this.#call('DELETE', before);
    await this.#call('PATCH', `/proxies/${name}`, { enabled: true });
  }

  async #call(method, path, body) {
    const answer = await fetch(this.api + path, { method, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}
