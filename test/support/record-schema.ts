import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AuditRecord } from '../../src/core/audit/record.ts';

const schema = JSON.parse(readFileSync(new URL('../../schemas/audit-record.json', import.meta.url), 'utf8'));
export const fitsSchema = new Ajv2020({ allErrors: true }).compile<AuditRecord>(schema);

/** The records, each of which fits the schema that is shipped, or a failure that says what does not. */
export function inSchema<Record extends AuditRecord>(records: readonly Record[]): Record[] {
  for (const record of records) {
    if (known.has(record.hash)) continue;
    if (!fitsSchema(record)) {
      const why = fitsSchema.errors?.map(({ instancePath, message, params }) => [instancePath, message, params]);
      throw new Error(
        `a record does not fit schemas/audit-record.json: ${JSON.stringify(record)}: ${JSON.stringify(why)}`,
      );
    }
    known.add(record.hash);
  }
  return [...records];
}

/** Logs are read again and again while they grow. */
const known = new Set<string>();
