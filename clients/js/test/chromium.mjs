// Debian's Chromium for tests, driven by its own protocol: tabs that evaluate, and nothing that calls home.
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const program = process.env.PARLEY_CHROMIUM ?? '/usr/bin/chromium';
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--remote-debugging-port=0'];

export class Chromium {
  #waiting = new Map();
  #count = 0;

  async start() {
    this.folder = mkdtempSync(join(tmpdir(), 'parley-sdk-chromium-'));
    const all = [...flags, `--user-data-dir=${this.folder}`];
    this.process = spawn(program, all, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.ended = new Promise((resolve) => this.process.once('exit', resolve));
    const url = await new Promise((resolve, reject) => {
      let log = '';
      this.process.stderr.on('data', (data) => {
        const found = /DevTools listening on (ws:\S+)/.exec((log += data));
        if (found) resolve(found[1]);
      });
      this.process.once('error', reject);
      void this.ended.then(() => reject(new Error(`chromium ended:\n${log}`)));
    });
    this.socket = new WebSocket(url);
    await new Promise((resolve) => this.socket.once('open', resolve));
    this.socket.on('message', (text) => {
      const { id, result, error } = JSON.parse(text);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    });
    return this;
  }

  ask(method, params = {}, sessionId = undefined) {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  /** A tab: `run(source)` evaluates, awaits and answers what JSON can carry. */
  async tab(url) {
    const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true });
    const ask = (method, params) => this.ask(method, params, sessionId);
    const run = async (source) => {
      const expression = `(async () => { ${source} })()`;
      const { result, exceptionDetails } = await ask('Runtime.evaluate', {
        expression, awaitPromise: true, returnByValue: true,
      });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
    const go = async (to) => {
      await ask('Page.navigate', { url: to });
      for (let ready = false; !ready;) {
        const here = `return location.href === ${JSON.stringify(to)} && document.readyState === 'complete'`;
        ready = await run(here).catch(() => false);
      }
    };
    await go(url);
    return { run, go };
  }

  async stop() {
    await this.ask('Browser.close');
    await this.ended;
    this.socket.terminate();
    // Its helpers write a moment longer than it lives.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20 }).catch(() => {});
  }
}
