// A TCP proxy that cuts: each connection may carry a random number of bytes either way, then both ends are reset in the
// middle of whatever they are at.
import { createServer, connect } from 'node:net';

export class CuttingProxy {
  // cut(): how many bytes the next connection may carry, or Infinity.
  constructor(port, cut = () => Infinity) {
    Object.assign(this, { target: port, cut, cuts: 0, open: new Set() });
    this.server = createServer((near) => this.#pair(near));
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async stop() {
    this.cutAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  cutAll() {
    for (const end of this.open) end();
  }

  #pair(near) {
    const far = connect(this.target, '127.0.0.1');
    let left = this.cut();
    const end = () => {
      if (!this.open.delete(end)) return;
      this.cuts++;
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    this.open.add(end);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (data) => {
        const part = data.subarray(0, left);
        left -= part.length;
        to.write(part, () => left <= 0 && end());
      });
      from.on('error', () => {});
      from.on('close', () => {
        this.open.delete(end);
        to.destroy();
      });
      from.setNoDelay(true);
    }
  }
}
