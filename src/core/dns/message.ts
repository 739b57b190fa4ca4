/** Numbers of DNS messages: RFC 1035 unless said otherwise. */

export const TYPE = { A: 1, PTR: 12, AAAA: 28, OPT: 41 } as const;

export const CLASS_IN = 1;

export const RCODE = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5, badVers: 16 } as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

/** Of the flags in the second word of the header. */
export const FLAG = {
  response: 0x8000,
  opcode: 0x7800,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const;

export const HEADER_BYTES = 12;
export const NAME_MAX = 255;
/** What a length prefix can say (RFC 1035, 4.2.2). */
export const MESSAGE_MAX = 65_535;

export type Question = {
  /** The header's first two words as they came, from which the answer's are made. */
  id: number;
  flags: number;
  /** Without the empty one of the root; as they came, any bytes. */
  labels: readonly Uint8Array[];
  type: number;
  /** The question section, to be repeated byte for byte: some clients choose the case of letters and look for it. */
  section: Uint8Array;
  /** Set when the client speaks EDNS (RFC 6891). */
  edns: Edns | undefined;
};
export type Edns = { dnssecOk: boolean };

/** Why a message is not a question that is answered, and with which code. A closed list. */
export const REJECTION = {
  'too-short': { rcode: null, text: 'shorter than a header' },
  response: { rcode: null, text: 'a response, not a question' },
  opcode: { rcode: RCODE.notImp, text: 'an operation other than a standard query' },
  questions: { rcode: RCODE.formErr, text: 'not exactly one question' },
  records: { rcode: RCODE.formErr, text: 'records other than one OPT' },
  'name-cut': { rcode: RCODE.formErr, text: 'the name does not end within the message' },
  'name-compressed': { rcode: RCODE.formErr, text: 'a label of a kind that has no place in a question' },
  'name-too-long': { rcode: RCODE.formErr, text: 'a name of more than 255 bytes' },
  'question-cut': { rcode: RCODE.formErr, text: 'no type and class behind the name' },
  class: { rcode: RCODE.refused, text: 'a class other than IN' },
  'opt-malformed': { rcode: RCODE.formErr, text: 'an OPT record of the wrong form' },
  'opt-version': { rcode: RCODE.badVers, text: 'an unknown version of EDNS' },
  'trailing-bytes': { rcode: RCODE.formErr, text: 'bytes behind the last record' },
} as const;
export type Rejection = keyof typeof REJECTION;
