import { ADDED_AUTHORITIES, AUTHORITY_BUNDLES } from '../core/contract/authority-variables.ts';

/** The variables by which the programs of a run learn whom to trust. */
export function inspectionVariables(offered: string): Record<string, string> {
  const bundle = `${offered}/ca-bundle.pem`;
  return {
    [ADDED_AUTHORITIES]: `${offered}/ca.pem`,
    ...Object.fromEntries(AUTHORITY_BUNDLES.map((name) => [name, bundle])),
  };
}
