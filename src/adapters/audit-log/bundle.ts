import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parseCheckpoint } from '../../core/audit/checkpoint.ts';
import { anchorsOfBundle, bundleNotesText } from './bundle-notes.ts';
import { LineReader, openFile, readLine } from './line-reader.ts';
import { checkpointPath, listSegments, segmentPath } from './segments.ts';

export type BundleParts = {
  /** Where the log is, and its checkpoint (a signed note), which says how much of it goes along. */
  directory: string;
  note: string;
  /** Checkpoints that others hold, read before the log's own. */
  kept: readonly { notes: readonly string[]; times?: readonly (string | undefined)[] }[];
  /** Where policy images are, named by their digests. */
  images: string;
  /** Further files: name and content. */
  files: Readonly<Record<string, string | Uint8Array>>;
};

export type Bundle = { entries: number; files: number; images: number; missingImages: string[] };

/**
 * Writes a directory that can be verified anywhere: the log up to its checkpoint, what others hold of it, and the images that its receipts name. It is there as a
 * whole or not at all, and never in place of something else. `look` sees it before it is in its place.
 * @throws what the system says when it cannot be written, EEXIST among it
 */
export async function writeBundle(
  target: string,
  parts: BundleParts,
  look: (directory: string) => Promise<void>,
): Promise<Bundle> {
  const place = resolve(target);
  mkdirSync(place, { mode: 0o700 }); // holds the name; a directory may be renamed over an empty one alone
  let fresh: string | undefined;
  try {
    fresh = mkdtempSync(`${dirname(place)}/.${basename(place)}.`);
    const bundle = fill(fresh, parts);
    await look(fresh);
    renameSync(fresh, place);
    return bundle;
  } catch (error) {
    if (fresh !== undefined) rmSync(fresh, { recursive: true, force: true });
    removeEmpty(place);
    throw error;
  }
}

function fill(into: string, { directory, note, kept, images, files }: BundleParts): Bundle {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint === undefined) throw new Error('the log has no checkpoint');
  const segments = copyEntries(directory, into, checkpoint.size);
  write(checkpointPath(into), note);
  mkdirSync(anchorsOfBundle(into), { mode: 0o700 });
  for (const [at, { notes, times = [] }] of kept.entries()) {
    // What was taken after the log was read would look as if entries were missing.
    const fitting = notes
      .map((text, place) => ({ text, time: times[place] }))
      .filter(({ text }) => {
        const held = parseCheckpoint(text);
        return held !== undefined && (held.origin !== checkpoint.origin || held.size <= checkpoint.size);
      });
    if (notes.length === 0) continue;
    const text = bundleNotesText(
      fitting.map(({ text }) => text),
      fitting.map(({ time }) => time),
    );
    write(`${anchorsOfBundle(into)}/${at + 1}.notes`, text);
  }
  for (const [name, content] of Object.entries(files)) write(`${into}/${name}`, content);
  return { entries: checkpoint.size, files: segments.length, ...copyImages(into, segments, images) };
}

/** Files before the last one are never written again; of that one goes what the checkpoint tells of. */
function copyEntries(directory: string, into: string, size: number): number[] {
  const segments = listSegments(directory);
  const copied: number[] = [];
  for (const [at, segment] of segments.entries()) {
    const path = segmentPath(directory, segment);
    const first = firstSeq(path);
    if (first !== undefined && first > size) break;
    const next = segments[at + 1];
    const nextFirst = next === undefined ? undefined : firstSeq(segmentPath(directory, next));
    const isWhole = nextFirst !== undefined && nextFirst <= size + 1;
    if (isWhole || first === undefined) copyWhole(path, segmentPath(into, segment));
    else copyLines(path, segmentPath(into, segment), size - first + 1);
    copied.push(segment);
  }
  return copied;
}

/** @throws NotAFile for anything but an ordinary file */
function copyWhole(from: string, to: string): void {
  closeSync(openFile(from));
  copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

function copyLines(from: string, to: string, count: number): void {
  const reader = new LineReader(from);
  const fd = openSync(to, 'wx', 0o600);
  let left = count;
  try {
    const take = (bytes: Buffer) => {
      if (left <= 0) return;
      left -= 1;
      gathered.push(Buffer.from(bytes), NEWLINE);
    };
    let gathered: Buffer[] = [];
    while (left > 0 && reader.step(take) > 0) {
      writeAll(fd, Buffer.concat(gathered));
      gathered = [];
    }
  } finally {
    closeSync(fd);
    reader.close();
  }
}

/** Those that are what their digest says; the digests of others are told. */
function copyImages(into: string, segments: readonly number[], images: string) {
  const missingImages: string[] = [];
  const digests = digestsIn(into, segments);
  mkdirSync(`${into}/images`, { mode: 0o700 });
  for (const digest of digests) {
    const bytes = readIfThere(`${images}/${digest}.gkimg`);
    if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== digest) missingImages.push(digest);
    else write(`${into}/images/${digest}.gkimg`, bytes);
  }
  return { images: digests.size - missingImages.length, missingImages };
}

function digestsIn(directory: string, segments: readonly number[]): Set<string> {
  const digests = new Set<string>();
  for (const segment of segments) {
    const reader = new LineReader(segmentPath(directory, segment));
    try {
      const take = (bytes: Buffer) => {
        for (const [, digest] of bytes.toString('latin1').matchAll(POLICY)) digests.add(digest!);
      };
      while (reader.step(take) > 0);
    } finally {
      reader.close();
    }
  }
  return digests;
}

function firstSeq(path: string): number | undefined {
  try {
    const { seq } = JSON.parse(readLine(path, 1) ?? '') as { seq?: unknown };
    return typeof seq === 'number' ? seq : undefined;
  } catch {
    return undefined;
  }
}

function readIfThere(path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}

const write = (path: string, content: string | Uint8Array) => writeFileSync(path, content, { flag: 'wx', mode: 0o600 });

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** What somebody put there meanwhile stays. */
function removeEmpty(place: string): void {
  try {
    rmdirSync(place);
  } catch {
    // It is not empty, or gone.
  }
}

const POLICY = /"policy(?:Before)?":"sha256:([0-9a-f]{64})"/g;
const NEWLINE = Buffer.from('\n');
