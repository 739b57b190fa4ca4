/** Where the cases of a policy file are looked for: NAME.cases.yaml beside NAME.yaml. */
export function casesBeside(policy: string): string {
  return policy.replace(/(\.ya?ml|\.json)?$/, '.cases.yaml');
}
