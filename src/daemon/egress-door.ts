import type { RunNames } from '../adapters/proxy/names.ts';
import type { RuleSaid } from '../core/audit/journal-record.ts';
import type { AuditFields } from '../core/audit/record.ts';
import type { Connections } from './connections.ts';
import type { EgressDoor, EgressPorts } from './daemon-parts.ts';
import { egressRecord } from './egress-record.ts';
import type { Inspections } from './inspections.ts';
import { applyReceipt } from './journal-drain.ts';
import type { Run } from './run.ts';
import type { Images } from './run-policy.ts';
import { isOver } from './run-record.ts';

export type EgressDoorOptions<Image> = {
  runs: ReadonlyMap<string, Run>;
  images: Images<Image>;
  connections: Connections;
  names: RunNames;
  searchDomainsOf: (run: string) => readonly string[];
  inspections: Inspections;
  ruleOf: (image: Image, index: number) => RuleSaid | undefined;
  append: (record: AuditFields) => Promise<unknown>;
  now: () => string;
  /** Those of an earlier daemon whose runs go on. */
  ports: EgressPorts | undefined;
};

/** What the egress hears of runs: whose connection it has, what their policy is, and where receipts go. */
export function egressDoor<Image>(options: EgressDoorOptions<Image>): EgressDoor<Image> {
  const { runs, images, connections, names, searchDomainsOf, inspections, ruleOf, append, now, ports } = options;
  return {
    connection: (family, sourcePort) => connections.take(family, sourcePort),
    policyOf: (id) => {
      const run = runs.get(id);
      if (run === undefined || run.supervisor === undefined || run.ending || isOver(run.record)) return undefined;
      const image = images.get(run.record.policyDigest);
      return image === undefined ? undefined : { image, simulate: run.record.request.simulate ?? false };
    },
    record: async (event) => {
      const run = runs.get(event.run);
      const policy = event.image === undefined ? undefined : images.digestOf(event.image);
      const rule = (index: number) => (event.image === undefined ? undefined : ruleOf(event.image, index));
      const enforce = run?.record.request.enforce === 'hook' ? { enforce: 'hook' } : {};
      const receipt = egressRecord(event, { time: now(), agent: run?.record.name ?? '', policy, ...enforce }, rule);
      await append(receipt);
      if (run !== undefined) applyReceipt(run, receipt);
    },
    names,
    searchDomainsOf,
    tlsOf: (run) => inspections.tlsOf(run),
    secretOf: (run, name) => inspections.secretOf(run, name),
    ports,
  };
}
