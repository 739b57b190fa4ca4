/** Why a connection was refused when no rule said so, or why an allowed one did not come about. A closed list. */
export const EGRESS_REASON = {
  'no-rule': 'no rule allows this destination',
  'ask-unanswered': 'a human has to allow this destination, and nobody did',
  'special-address': 'the address is not on the public internet, and no rule names its range',
  'synthetic-address': 'the address stands for a name in a run and cannot be dialled',
  'own-address': 'the address is one of this machine itself, and no rule names it',
  'sni-mismatch': 'the first bytes of TLS name another host than the one that was asked for',
  'sni-missing': 'the first bytes of TLS name no host, or are none',
  'not-inspected': 'the rule asks for the content to be looked at, and it is neither TLS nor HTTP',
  'authority-lost': 'the run has no certificate authority: its daemon was started again, or the rule came later',
  'authority-refused': 'the program does not trust the certificate authority of its run',
  'certificate-untrusted': 'the certificate of the destination does not verify',
  'secret-unknown': 'the credential that a rule puts in is not known to the daemon',
  'secret-in-clear': 'a rule puts a credential into this request, and without TLS it is not known who would get it',
  'own-port': 'the port belongs to gatekeeper itself',
  'run-unknown': 'the run has no policy in force',
  'journal-failed': 'the decision could not be recorded',
  resources: 'the run has too many connections open',
  'no-host-name': 'the text is no name that a host can have',
  unresolved: 'the name has no address',
  unreachable: 'no address of the destination answered',
} as const;
export type EgressReason = keyof typeof EGRESS_REASON;
