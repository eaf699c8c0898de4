// The real server for a test: on a free port, in a folder of its own, ended by its own pid.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function binary() {
  const named = [process.env.PARLEY_BINARY, join(root, 'build/release/parley'), join(root, 'build/parley')];
  const found = named.find((path) => path && existsSync(path));
  if (!found) throw new Error('no server binary: ./run --build-only makes one (or set PARLEY_BINARY)');
  return found;
}

const environment = {
  PARLEY_LIMITS_ENABLED: 'false', PARLEY_ARGON2_MEMORY_KIB: '1024', PARLEY_ARGON2_ITERATIONS: '1',
};

export class Server {
  constructor(more = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'parley-sdk-'));
    this.environment = { ...process.env, ...environment, ...more };
    this.listen = '127.0.0.1:0';
  }

  async start() {
    const flags = ['serve', '--data', join(this.folder, 'data'), '--threads', '2', '--listen', this.listen];
    this.process = spawn(binary(), flags, { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve(code ?? signal)));
    this.log = '';
    await new Promise((resolve, reject) => {
      const read = (data) => {
        this.log += data;
        const found = /https?:\/\/127\.0\.0\.1:(\d+)/.exec(this.log);
        if (!found) return;
        this.port = Number(found[1]);
        this.listen = `127.0.0.1:${this.port}`; // the same one after a restart
        this.url = `http://127.0.0.1:${this.port}`;
        resolve();
      };
      this.process.stdout.on('data', read);
      this.process.stderr.on('data', read);
      void this.ended.then((code) => reject(new Error(`the server ended with ${code}:\n${this.log}`)));
    });
    return this;
  }

  async kill(signal = 'SIGKILL') {
    this.process.kill(signal);
    return this.ended;
  }

  async stop() {
    const code = await this.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}
