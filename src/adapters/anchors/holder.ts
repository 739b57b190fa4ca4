/** A checkpoint as its holder gives it back. */
export type HeldNote = {
  note: string;
  /** When the holder took it, RFC 3339, as far as it says so. */
  time?: string;
};

/** Somebody outside of the log's directory who keeps its checkpoints. */
export type Holder = {
  /** For people: what it is and where. Unique. */
  name: string;
  /** Rejects when the holder has not taken it, as far as can be told, and soon after the signal. */
  put: (note: string, signal: AbortSignal) => Promise<void>;
  /** What it holds, oldest first: the newest ones at least, of one log where that is named. */
  read: (origin?: string) => Promise<HeldNote[]>;
  close?: () => void;
  /** How long it is left alone after each note. */
  pauseMs?: number;
};

/** How many notes of one log a reader keeps of a holder that has more. */
export const MOST_READ = 1000;
