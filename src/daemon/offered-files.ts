import { closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { writeFileAtomic } from '../adapters/process/atomic-file.ts';
import type { RunNames } from '../adapters/proxy/names.ts';
import { ownAddresses } from '../adapters/proxy/own-addresses.ts';
import type { Address } from '../core/egress/address.ts';
import type { HostName } from '../core/egress/host-name.ts';
import { nameServices } from '../core/egress/name-services.ts';
import { hostsFile, MOST_LISTED, resolvConf, searchDomainsIn } from '../core/egress/resolver-files.ts';
import type { Images } from './run-policy.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';

export type OfferedFilesOptions<Image> = {
  store: RunStore;
  images: Images<Image>;
  names: RunNames;
  exactNames: (image: Image, most: number) => readonly HostName[];
  /** Whether a rule names the address in order to allow connections to it, and the name may be reached there. */
  mayReachAt: (image: Image, name: HostName, address: Address) => boolean;
  /** A line for the daemon's own log. */
  say: (line: string) => void;
  /** Where the files lie that are replaced. */
  system?: string;
};

/**
 * What a run reads in place of files of the system: a directory of its own, which its programs may read and nobody but the daemon changes. Each file is
 * replaced as a whole, so a reader sees the old one or the new.
 */
export class OfferedFiles<Image> {
  readonly #options: OfferedFilesOptions<Image>;
  readonly #isOwn = ownAddresses();

  constructor(options: OfferedFilesOptions<Image>) {
    this.#options = options;
  }

  /** Makes the directory of a run whose own directory is there. Returns its path. */
  create(record: RunRecord): string {
    const directory = offeredDirectory(this.#options.store, record.id);
    mkdirSync(directory, { mode: 0o700 });
    offer(directory, 'resolv.conf', Buffer.from(resolvConf(this.#read('resolv.conf')), 'latin1'));
    const services = nameServices(this.#read('nsswitch.conf'));
    if (services !== undefined) offer(directory, 'nsswitch.conf', Buffer.from(services, 'latin1'));
    this.#offerHosts(record, directory);
    return directory;
  }

  /**
   * The run's policy allows other names now. Which of them the file of hosts lists is a help to programs and decides nothing, so a run goes on with the old
   * file when there can be no new one. A run without a directory was started by a daemon that made none.
   */
  update(record: RunRecord): void {
    const directory = offeredDirectory(this.#options.store, record.id);
    try {
      if (existsSync(directory)) this.#offerHosts(record, directory);
    } catch (error) {
      this.#options.say(`run ${record.id}: its file of hosts cannot be written: ${error}`);
    }
  }

  /** As the run's own resolv.conf says. */
  searchDomains(run: string): string[] {
    return searchDomainsIn(this.#read('resolv.conf', offeredDirectory(this.#options.store, run)));
  }

  /** A run that has used up its names keeps its resolver, and the file lists none. */
  #offerHosts({ id, policyDigest }: RunRecord, directory: string): void {
    const { images, names, exactNames, mayReachAt } = this.#options;
    const image = images.get(policyDigest);
    if (image === undefined) throw new Error('the image of its policy is gone');
    const listed = exactNames(image, MOST_LISTED);
    const numbers = names.numbersOf(id, listed) ?? [];
    const lines = numbers.map((number, at) => ({ name: listed[at]!, number }));
    const reach = (name: HostName, address: Address) => mayReachAt(image, name, address);
    offer(directory, 'hosts', Buffer.from(hostsFile(this.#read('hosts'), lines, this.#isOwn, reach), 'latin1'));
  }

  /** The user's file (or that of a run), as far as anybody reads it; byte by byte, since nothing says how it is encoded. */
  #read(name: string, directory = this.#options.system ?? '/etc'): string | undefined {
    try {
      const fd = openSync(`${directory}/${name}`, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        if (!fstatSync(fd).isFile()) return undefined;
        const bytes = Buffer.alloc(LARGEST);
        return bytes.toString('latin1', 0, readSync(fd, bytes, 0, LARGEST, 0));
      } finally {
        closeSync(fd);
      }
    } catch {
      return undefined;
    }
  }
}

export const offeredDirectory = (store: RunStore, run: string): string => `${store.directory(run)}/offered`;

/** Puts a file into a run's directory, or replaces it. */
export function offer(directory: string, name: string, content: Uint8Array): void {
  writeFileAtomic(`${directory}/${name}`, content, { mode: 0o444 });
}

const LARGEST = 256 * 1024;
