import { createHash, randomFillSync } from 'node:crypto';
import * as fs from 'node:fs';
import { writeFileAtomic } from '../process/atomic-file.ts';
import { addPin } from './pins.ts';
import { fingerprint, publicKeyFile, publicKeyText, readPublicKey } from './public-key.ts';
import { loadSigningKey, makeSigningKey, type SigningKey, secretKeyFile } from './signing-key.ts';

/** The next key, beside the present one from before the log names it until nothing needs the old one any more. */
const nextKeyFile = (directory: string) => `${directory}/ed25519.next.key`;

export type KeyPlace = { directory: string; pinFile: string };

/** Makes the next key. Nothing has changed yet. */
export const prepareRotation = ({ directory }: KeyPlace): SigningKey => makeSigningKey(nextKeyFile(directory));

/** The log goes on with the old key after all. */
export function dropRotation({ directory }: KeyPlace): void {
  destroyFile(nextKeyFile(directory));
  fs.rmSync(nextKeyFile(directory), { force: true });
}

/** The log names the next key, on the disk: it takes the old one's place. May be begun again from wherever it was interrupted. */
export function finishRotation(place: KeyPlace): void {
  const next = loadSigningKey(nextKeyFile(place.directory));
  next.destroy();
  for (const step of FINISHING) step(place, next.publicKey);
}

/** In an order in which a crash between two of them, or within one, leaves what can be gone on with: as long as there is a next key, nothing else is looked at. */
export const FINISHING: readonly ((place: KeyPlace, next: Uint8Array) => void)[] = [
  ({ pinFile }, next) => addPin(pinFile, fingerprint(next)),
  ({ directory }, next) => {
    const old = readPublicKey(directory);
    if (old === undefined || Buffer.from(next).equals(old)) return;
    writeFileAtomic(formerKeyFile(directory, old), publicKeyText(old), { durable: true });
  },
  ({ directory }, next) => writeFileAtomic(publicKeyFile(directory), publicKeyText(next), { durable: true }),
  ({ directory }) => destroyFile(secretKeyFile(directory)),
  ({ directory }) => {
    fs.renameSync(nextKeyFile(directory), secretKeyFile(directory));
    syncDirectory(directory);
  },
];

/**
 * Brings to its end what a crash interrupted, before any key is opened.
 * @param current base64 of the public key that signs at the end of the log; undefined for a log without entries
 */
export function resumeRotation(place: KeyPlace, current: string | undefined): void {
  const { directory } = place;
  for (const name of fs.readdirSync(directory))
    if (/^ed25519\..*\.new$/.test(name)) removeSecret(`${directory}/${name}`);
  if (!fs.existsSync(nextKeyFile(directory))) return;
  const next = loadSigningKey(nextKeyFile(directory));
  next.destroy();
  if (Buffer.from(next.publicKey).toString('base64') === current) finishRotation(place);
  else dropRotation(place);
}

const formerKeyFile = (directory: string, key: Uint8Array) =>
  `${directory}/ed25519-${createHash('sha256').update(key).digest('hex').slice(0, 16)}.pub`;

function removeSecret(path: string): void {
  destroyFile(path);
  fs.rmSync(path, { force: true });
}

/** Over its own bytes, as far as the file system writes in place; never those of a file that has another name, which is in use. */
function destroyFile(path: string): void {
  const fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW);
  try {
    if (fs.fstatSync(fd).nlink > 1) return;
    fs.writeSync(fd, randomFillSync(Buffer.alloc(fs.fstatSync(fd).size)), 0, undefined, 0);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function syncDirectory(path: string): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
