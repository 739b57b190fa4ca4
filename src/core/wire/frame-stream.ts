import { type Frame, frameLength, MalformedFrame, parseFrame } from './frame.ts';
import { FRAME_MAX_BYTES } from './messages.ts';

/**
 * Cuts a byte stream into frames. It holds at most one unfinished frame, whatever the peer sends; after the first malformed
 * one it stays malformed, because nothing behind it can be trusted to begin where it seems to.
 */
export class FrameStream {
  readonly #pending = new Uint8Array(FRAME_MAX_BYTES);
  #held = 0;
  #broken: MalformedFrame | undefined;

  /** Frames that are complete now, in order. A malformed frame ends the list. */
  push(chunk: Uint8Array): (Frame | MalformedFrame)[] {
    const out: (Frame | MalformedFrame)[] = [];
    let at = 0;
    while (this.#broken === undefined && at < chunk.length) {
      at += this.#take(chunk.subarray(at));
      const frame = this.#complete();
      if (frame === undefined) continue;
      if (frame instanceof MalformedFrame) this.#broken = frame;
      out.push(frame);
    }
    return out;
  }

  /** True between two frames: an end of the stream here cuts nothing off. */
  get idle(): boolean {
    return this.#held === 0 && this.#broken === undefined;
  }

  /** Takes up to the end of the current frame and says how many bytes that were. */
  #take(chunk: Uint8Array): number {
    const wanted = this.#held < LENGTH_BYTES ? LENGTH_BYTES : this.#announced();
    if (wanted instanceof MalformedFrame) return chunk.length;
    const part = chunk.subarray(0, wanted - this.#held);
    this.#pending.set(part, this.#held);
    this.#held += part.length;
    return part.length;
  }

  #complete(): Frame | MalformedFrame | undefined {
    if (this.#held < LENGTH_BYTES) return undefined;
    const length = this.#announced();
    if (length instanceof MalformedFrame) return length;
    if (this.#held < length) return undefined;
    const frame = parseFrame(this.#pending.slice(0, length)); // fields borrow: hand out a copy of their own
    this.#held = 0;
    return frame;
  }

  #announced(): number | MalformedFrame {
    return frameLength(this.#pending.subarray(0, this.#held));
  }
}

const LENGTH_BYTES = 4;
