/**
 * Reads a line as bytes, without making texts and objects of it, and says where the members stand that its place in the chain is checked with. Knows no
 * more than what most entries are: what it does not take is for `parseCanonical` to judge.
 */
export class RecordScan {
  seq = 0;
  /** Offsets of texts of 64 bytes, which are hashes when they are equal to one. */
  prevAt = 0;
  hashAt = 0;
  /** The members with the comma behind them; `sigEnd` is 0 when there is none. */
  hashFrom = 0;
  hashEnd = 0;
  sigFrom = 0;
  sigEnd = 0;
  /** Whether such an entry goes without a signature. */
  mayBeUnsigned = false;
  /** Where the last name began, and how long it was. */
  #nameAt = 0;
  #nameLength = 0;
  /** Of the value that was read last: behind it, and whether it is a text. */
  #end = 0;
  #isText = false;
  #number = 0;

  /** Whether the line is a record in canonical form that is not one of `SPECIAL`. The bytes must be valid UTF-8. */
  scan(bytes: Uint8Array, end: number): boolean {
    this.sigEnd = 0;
    this.mayBeUnsigned = false;
    this.#nameLength = 0;
    let seen = 0;
    let at = 0;
    if (bytes[at++] !== OPEN) return false;
    for (;;) {
      const from = at;
      if (!this.#name(bytes, at, end)) return false;
      at = this.#nameAt + this.#nameLength + 2; // behind the name, its quote and the colon
      if (!this.#value(bytes, at, end)) return false;
      seen |= this.#member(bytes, from, at);
      if (seen < 0) return false;
      at = this.#end;
      const next = bytes[at++];
      if (next === CLOSE) return at === end && seen === ALL;
      if (next !== COMMA) return false;
    }
  }

  /** A name like those of records, behind the one before it in the order. */
  #name(bytes: Uint8Array, from: number, end: number): boolean {
    if (bytes[from] !== QUOTE) return false;
    const at = from + 1;
    let to = at;
    while (to < end && isNameByte(bytes[to]!)) to++;
    const first = bytes[at]!;
    if (to === at || first < 0x61 || first > 0x7a || bytes[to] !== QUOTE || bytes[to + 1] !== COLON) return false;
    const length = to - at;
    if (!follows(bytes, this.#nameAt, this.#nameLength, at, length)) return false;
    this.#nameAt = at;
    this.#nameLength = length;
    return true;
  }

  #value(bytes: Uint8Array, at: number, end: number): boolean {
    const first = bytes[at]!;
    this.#isText = first === QUOTE;
    if (this.#isText) return this.#text(bytes, at + 1, end);
    this.#number = Number.NaN;
    if (first === 0x74) return this.#word(bytes, at, TRUE);
    if (first === 0x66) return this.#word(bytes, at, FALSE);
    return this.#integer(bytes, at, end);
  }

  /** In the one spelling that JSON.stringify has for it. */
  #text(bytes: Uint8Array, from: number, end: number): boolean {
    let at = from;
    for (;;) {
      while (at < end && IS_PLAIN[bytes[at]!] === 1) at++;
      if (at >= end) return false;
      if (bytes[at] === QUOTE) {
        this.#end = at + 1;
        return true;
      }
      const length = bytes[at] === BACKSLASH ? escapeLength(bytes, at) : 0;
      if (length === 0) return false;
      at += length;
    }
  }

  #word(bytes: Uint8Array, at: number, word: readonly number[]): boolean {
    for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
    this.#end = at + word.length;
    return true;
  }

  #integer(bytes: Uint8Array, from: number, end: number): boolean {
    let at = from;
    const negative = bytes[at] === MINUS;
    if (negative) at += 1;
    const digits = at;
    let number = 0;
    while (at < end && at - digits < MOST_DIGITS && isDigit(bytes[at]!)) number = number * 10 + (bytes[at++]! - 0x30);
    // Fifteen digits are always safe; longer numbers are rare enough for the other way.
    if (at === digits || (bytes[digits] === 0x30 && (at > digits + 1 || negative))) return false;
    this.#number = negative ? -number : number;
    this.#end = at;
    return true;
  }

  /** Notes what the member is good for: one bit of ALL for those that a record has; negative when it is not for this way. */
  #member(bytes: Uint8Array, from: number, valueAt: number): number {
    const length = this.#nameLength;
    const first = bytes[from + 1]!;
    if (length === 1) return first !== 0x76 /* v */ ? 0 : this.#number === 1 && !this.#isText ? HAS_V : -1;
    if (length === 3) {
      if (!this.#is(bytes, SEQ) && !this.#is(bytes, SIG)) return 0;
      return bytes[from + 2] === 0x65 ? this.#takeSeq() : this.#takeSig(from);
    }
    if (length === 4) {
      if (this.#is(bytes, HASH)) return this.#takeHash(from, valueAt);
      if (this.#is(bytes, PREV)) return this.#takePrev(valueAt);
      return this.#is(bytes, TIME) ? (this.#isText ? HAS_TIME : -1) : 0;
    }
    if (length === 6 && this.#is(bytes, ACTION)) return this.#takeAction(bytes, valueAt);
    if (length === 7 && this.#is(bytes, VERDICT)) {
      if (this.#isText && isValue(bytes, valueAt, this.#end, ALLOW)) this.mayBeUnsigned = true;
    }
    return 0;
  }

  #is(bytes: Uint8Array, name: readonly number[]): boolean {
    for (let i = 0; i < name.length; i++) if (bytes[this.#nameAt + i] !== name[i]) return false;
    return true;
  }

  #takeSeq(): number {
    this.seq = this.#number;
    return this.#isText || Number.isNaN(this.#number) ? -1 : HAS_SEQ;
  }

  #takeSig(from: number): number {
    this.sigFrom = from;
    this.sigEnd = this.#end + 1;
    return this.#isText ? 0 : -1;
  }

  #takeHash(from: number, valueAt: number): number {
    this.hashFrom = from;
    this.hashEnd = this.#end + 1;
    this.hashAt = valueAt + 1;
    return this.#isText && this.#end - valueAt === HASH_DIGITS + 2 ? HAS_HASH : -1;
  }

  #takePrev(valueAt: number): number {
    this.prevAt = valueAt + 1;
    return this.#isText && this.#end - valueAt === HASH_DIGITS + 2 ? HAS_PREV : -1;
  }

  #takeAction(bytes: Uint8Array, valueAt: number): number {
    if (!this.#isText) return -1;
    for (const special of SPECIAL_BYTES) if (isValue(bytes, valueAt, this.#end, special)) return -1;
    if (isValue(bytes, valueAt, this.#end, CLOSED)) this.mayBeUnsigned = true;
    return HAS_ACTION;
  }
}

/** Entries that say something about the log itself: whoever verifies has to read them whole. */
export const SPECIAL = ['log_start', 'segment', 'key_change', 'pruned', 'recovered', 'gap', 'damage'] as const;

const bytesOf = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));
const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const isNameByte = (byte: number) =>
  (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39);

/** Whether the second name comes behind the first one. */
function follows(bytes: Uint8Array, one: number, oneLength: number, other: number, otherLength: number): boolean {
  const both = oneLength < otherLength ? oneLength : otherLength;
  for (let i = 0; i < both; i++) {
    const difference = bytes[other + i]! - bytes[one + i]!;
    if (difference !== 0) return difference > 0;
  }
  return otherLength > oneLength;
}

/** Of the escape at a backslash; 0 when JSON.stringify does not write it. */
function escapeLength(bytes: Uint8Array, at: number): number {
  const kind = bytes[at + 1]!;
  if (kind !== 0x75) return SHORT_ESCAPES.includes(kind) ? 2 : 0;
  const high = bytes[at + 4]!;
  const low = bytes[at + 5]!;
  if (bytes[at + 2] !== 0x30 || bytes[at + 3] !== 0x30 || (high !== 0x30 && high !== 0x31)) return 0;
  if (!isDigit(low) && !(low >= 0x61 && low <= 0x66)) return 0;
  return high === 0x30 && HAVE_SHORT.includes(low) ? 0 : 6;
}

/** Whether a text's value, from quote to quote, is this one. */
function isValue(bytes: Uint8Array, from: number, end: number, value: readonly number[]): boolean {
  if (end - from !== value.length + 2) return false;
  for (let i = 0; i < value.length; i++) if (bytes[from + 1 + i] !== value[i]) return false;
  return true;
}

const [OPEN, CLOSE, QUOTE, COLON, COMMA, BACKSLASH, MINUS] = [0x7b, 0x7d, 0x22, 0x3a, 0x2c, 0x5c, 0x2d];
const [TRUE, FALSE] = [bytesOf('true'), bytesOf('false')];
const [SEQ, SIG, HASH, PREV, TIME] = [
  bytesOf('seq'),
  bytesOf('sig'),
  bytesOf('hash'),
  bytesOf('prev'),
  bytesOf('time'),
];
const [ACTION, VERDICT] = [bytesOf('action'), bytesOf('verdict')];
const [ALLOW, CLOSED] = [bytesOf('allow'), bytesOf('connection_closed')];
const SPECIAL_BYTES = SPECIAL.map(bytesOf);
/** Of each byte, whether it stands in a text as it is: looking it up is quicker than three comparisons. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 0 : 1,
);
/** Behind the backslash: what has a short escape, and the last digit of those that would have no other one. */
const SHORT_ESCAPES = bytesOf('"\\bfnrt');
const HAVE_SHORT = bytesOf('89acd');
const HASH_DIGITS = 64;
const MOST_DIGITS = 15;
const [HAS_V, HAS_SEQ, HAS_HASH, HAS_PREV, HAS_TIME, HAS_ACTION] = [1, 2, 4, 8, 16, 32];
const ALL = 63;
