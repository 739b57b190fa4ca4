import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readAnchors } from '../../adapters/anchors/anchors.ts';
import { type Bundle, writeBundle } from '../../adapters/audit-log/bundle.ts';
import { readBundleNotes } from '../../adapters/audit-log/bundle-notes.ts';
import { readCheckpointFile } from '../../adapters/audit-log/read.ts';
import { verifyLog } from '../../adapters/audit-log/verify-log.ts';
import { readAuditSettings } from '../../adapters/audit-settings/read-settings.ts';
import {
  fingerprint,
  publicKeyFile,
  publicKeyText,
  readPublicKeyFile,
  verifyKey,
} from '../../adapters/keys/public-key.ts';
import { PROBLEMS } from '../../core/audit/verify.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { visible } from '../../core/text/visible.ts';
import { auditDirectory, readError } from '../audit-directory.ts';
import { installation, ownHome } from '../home.ts';
import { tellUser } from '../render/tell-user.ts';
import { whyNotWritten } from '../why-not-written.ts';

/** What else `audit export` takes does not go with it. */
export type BundleOptions = { bundle: string; format?: string };

/** Writes a directory that whoever has the fingerprint can verify anywhere. Exits 1 when what is in it does not verify. */
export async function auditBundle({ bundle: target, ...others }: BundleOptions): Promise<number> {
  refuseOthers(others);
  const layout = ownHome();
  const directory = auditDirectory();
  const key = readPublicKeyFile(publicKeyFile(layout.keys));
  if (!key) throw new GatekeeperError('GK_AUDIT_KEY', { where: publicKeyFile(layout.keys) });
  const kept = await readAnchors(readAuditSettings(layout), layout);
  const note = readCheckpointFile(directory);
  if (note === undefined)
    throw new GatekeeperError('GK_AUDIT_PROOF', { what: 'the log has no checkpoint', where: directory });
  const files = {
    'ed25519.pub': publicKeyText(key),
    'verify_log.py': readFileSync(fileURLToPath(new URL('docs/verify_log.py', installation())), 'utf8'),
    'README.md': readme(fingerprint(key), anchorNames(kept)),
  };
  let wrong: string | undefined;
  const look = async (fresh: string) => {
    const { problems } = await verifyLog(fresh, verifyKey(key), { kept: readBundleNotes(fresh) });
    const [first] = problems;
    if (first) wrong = `entry ${first.seq}: ${PROBLEMS[first.kind]}`;
  };
  const bundle = await writeBundle(target, { directory, note, kept, images: layout.images, files }, look).catch(
    (error) => {
      throw writeError(error, target, directory);
    },
  );
  tell(bundle, target, fingerprint(key), wrong);
  return wrong === undefined ? 0 : 1;
}

function refuseOthers(others: { format?: string }): void {
  const [other] = Object.entries(others).filter(([name, value]) => name !== 'format' || value !== 'jsonl');
  if (other === undefined) return;
  const option = other[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new GatekeeperError('GK_USAGE', {
    what: `--bundle takes the whole log of this user, and --${option} does not go with it`,
    remedy: 'leave one of the two out',
  });
}

function tell(
  { entries, files, images, missingImages }: Bundle,
  target: string,
  key: string,
  wrong: string | undefined,
) {
  tellUser(
    `gatekeeper: wrote ${visible(target)}: ${count(entries, 'entry', 'entries')} in ${count(files, 'file', 'files')}, ${count(images, 'policy image', 'policy images')}`,
  );
  if (missingImages.length > 0) {
    const some = count(missingImages.length, 'policy image', 'policy images');
    tellUser(`gatekeeper: no longer here, though entries name it: ${some}`);
  }
  if (wrong !== undefined) tellUser(`gatekeeper: what is in it does NOT verify: ${wrong}`);
  tellUser(`gatekeeper: give the fingerprint to whoever verifies it by another way: ${key}`);
}

function writeError(error: unknown, target: string, directory: string): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined) return readError(error, directory);
  if (path?.startsWith(`${directory}/`)) return readError(error, directory);
  return new GatekeeperError('GK_OUTPUT', {
    what: `the bundle cannot be written: ${whyNotWritten(error)}`,
    where: target,
    remedy: 'name a directory that does not exist yet, in one that does',
    cause: error,
  });
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

const anchorNames = (kept: readonly { notes: readonly string[] }[]): string =>
  kept.map(({ notes }, at) => (notes.length === 0 ? '' : ` --anchor anchors/${at + 1}.notes`)).join('');

const readme = (key: string, anchors: string) => `# A log of gatekeeper

This directory holds an audit log up to its checkpoint: \`*.jsonl\`, one entry a line; \`checkpoint\`, signed; \`anchors/\`, the checkpoints that others held when it was made; \`images/\`, the policies that entries name.

Who made it says that the key's fingerprint is

    ${key}

Do not take that from here: ask them, by another way. Then, with gatekeeper:

    gatekeeper audit verify --log . --fingerprint ${key}

or without it, with Python 3 and OpenSSL:

    python3 verify_log.py . --fingerprint ${key}${anchors}

That copy of verify_log.py is for convenience: who made this could have changed it, so take it from the sources of gatekeeper (docs/verify_log.py) where that matters.

Both exit with 0 when all is as it was signed, and with 1 and the first bad entry when it is not. A later log can be compared with this one's checkpoint: gatekeeper audit verify --since-checkpoint checkpoint
`;
