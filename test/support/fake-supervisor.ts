import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { encodeFrame, type Frame, type FrameName, MalformedFrame } from '../../src/core/wire/frame.ts';
import { FrameStream } from '../../src/core/wire/frame-stream.ts';
import { journalSegment, putRecord } from './journal-file.ts';

/** Speaks the supervisor's side of the channel and writes a journal, as gk-supervise does. */
export class FakeSupervisor {
  readonly run: string;
  readonly directory: string;
  readonly received: Frame[] = [];
  readonly #socketPath: string;
  readonly #pid: number;
  readonly #bytes: Uint8Array;
  #socket: Socket | undefined;
  #offset = 4096;
  #number = 1n;
  #arrival: () => void = () => undefined;

  /** `args`: what createRun answers. */
  constructor(args: readonly string[], pid: number = process.pid) {
    const option = (name: string) => args[args.indexOf(name) + 1]!;
    this.run = option('--run');
    this.directory = option('--run-dir');
    this.#socketPath = option('--socket');
    this.#pid = pid;
    mkdirSync(this.directory, { recursive: true });
    this.#bytes = journalSegment({ run: this.run, frames: [] });
    this.#write(0, this.#bytes);
  }

  async connect(change: Partial<Record<'RUN' | 'TOKEN' | 'PATH', Uint8Array>> & { PID?: number } = {}): Promise<void> {
    const socket = connect(this.#socketPath);
    this.#socket = socket;
    const stream = new FrameStream();
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const frame of stream.push(chunk as Buffer))
        if (!(frame instanceof MalformedFrame)) this.received.push(frame);
      this.#arrival();
    });
    socket.on('close', () => this.#arrival());
    await once(socket, 'connect');
    this.send('HELLO', {
      RUN: Buffer.from(this.run),
      TOKEN: readFileSync(`${this.directory}/token`),
      PID: this.#pid,
      TEXT: Buffer.from('test'),
      PATH: Buffer.from(this.directory),
      ...change,
    });
  }

  send(...frame: Parameters<typeof encodeFrame>): void {
    this.#socket?.write(encodeFrame(...frame));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket?.write(bytes);
  }

  /** The next frame of a type that was not waited for before; rejects when the channel ends first. */
  async next(type: FrameName): Promise<Frame> {
    for (;;) {
      const at = this.received.findIndex((frame) => frame.type === type);
      if (at >= 0) return this.received.splice(at, 1)[0]!;
      if (this.#socket === undefined || this.#socket.destroyed) throw new Error(`the channel ended before ${type}`);
      await new Promise<void>((resolve) => {
        this.#arrival = resolve;
      });
    }
  }

  /** Appends to the journal what `make` gives for the next number. */
  journal(make: (number: bigint) => Uint8Array): void {
    const next = putRecord(this.#bytes, this.#offset, make(this.#number));
    this.#write(this.#offset, this.#bytes.subarray(this.#offset, next));
    this.#offset = next;
    this.#number += 1n;
  }

  async drained(): Promise<void> {
    this.send('KICK', { SEGMENT: 1, OFFSET: this.#offset });
    while ((await this.next('DRAINED')).fields.OFFSET !== BigInt(this.#offset)) this.send('KICK', {});
  }

  get connected(): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed;
  }

  async closed(): Promise<void> {
    if (this.connected) await once(this.#socket!, 'close');
  }

  disconnect(): void {
    this.#socket?.destroy();
  }

  #write(offset: number, bytes: Uint8Array): void {
    const fd = openSync(`${this.directory}/journal-000001`, offset === 0 ? 'w' : 'r+', 0o600);
    try {
      writeSync(fd, bytes, 0, bytes.length, offset);
    } finally {
      closeSync(fd);
    }
  }
}
