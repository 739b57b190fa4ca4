// module.cjs WAY SECRET ADDON: reads a file by ways around the modules that a hook could replace. Prints it, or the errno that stopped it.
const fs = require('node:fs');
const { spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');

const [, , way, secret, addon] = process.argv;

const ways = {
  file: () => fs.readFileSync(secret),
  // The functions beneath the modules, which nothing can wrap.
  binding: () => {
    const binding = process.binding('fs');
    return readAll(binding.open(secret, fs.constants.O_RDONLY, 0o666));
  },
  worker: () =>
    new Promise((done, fail) => {
      const source = 'require("node:fs").readFileSync(require("node:worker_threads").workerData).toString()';
      const worker = new Worker(`require("node:worker_threads").parentPort.postMessage(${source})`, {
        eval: true,
        execArgv: [],
        env: {},
        workerData: secret,
      });
      worker.once('message', done).once('error', fail);
    }),
  child: () => {
    const argv = ['-e', 'process.stdout.write(require("node:fs").readFileSync(process.argv[1]))', secret];
    const child = spawnSync(process.execPath, argv, { env: { NODE_OPTIONS: '' } });
    if (child.status !== 0) throw new Error(/\bE[A-Z]+\b/.exec(String(child.stderr))?.[0] ?? String(child.stderr));
    return child.stdout;
  },
  addon: () => process.dlopen({ exports: {} }, addon),
  promise: () => fs.promises.readFile(secret),
  stream: async () => Buffer.concat(await fs.createReadStream(secret).toArray()),
  import: () => import('node:fs').then((again) => again.readFileSync(secret)),
  copy: () => {
    fs.cpSync(secret, `${secret}.copy`);
    return fs.readFileSync(`${secret}.copy`);
  },
};

function readAll(fd) {
  const buffer = Buffer.alloc(256);
  return buffer.subarray(0, fs.readSync(fd, buffer));
}

process.removeAllListeners('warning');
Promise.resolve()
  .then(ways[way])
  .then((text) => process.stdout.write(String(text)))
  .catch((error) => {
    process.stderr.write(`${error.code ?? error.message}\n`);
    process.exitCode = 1;
  });
