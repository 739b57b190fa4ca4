import {
  HEADER_BYTES,
  IMAGE_MAGIC,
  ITEM_BYTES,
  MOST,
  SECTION,
  SECTION_ENTRY_BYTES,
  type SectionName,
} from '../policy/image-layout.ts';
import { ImageError } from './image-error.ts';

/** Sections of an image and the items in them; every access is checked. */
export class ImageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #sections = new Map<number, { offset: number; length: number; count: number }>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const names = Object.keys(SECTION) as SectionName[];
    const first = HEADER_BYTES + names.length * SECTION_ENTRY_BYTES;
    if (bytes.length < first || bytes.length > MOST.imageBytes) throw new ImageError('wrong size');
    if (IMAGE_MAGIC.some((byte, index) => bytes[index] !== byte)) throw new ImageError('not a policy image');
    if (this.#view.getUint32(8, true) !== bytes.length) throw new ImageError("size differs from the header's");
    if (this.#view.getUint32(12, true) !== names.length) throw new ImageError('wrong number of sections');
    for (let entry = 0; entry < names.length; entry++)
      this.#readEntry(HEADER_BYTES + entry * SECTION_ENTRY_BYTES, first);
    for (const name of names) this.#checkCount(name);
  }

  item(name: SectionName, index: number): DataView {
    const section = this.#sections.get(SECTION[name])!;
    if (index >= section.count) throw new ImageError(`${name} has no item ${index}`);
    const size = ITEM_BYTES[name];
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + section.offset + index * size, size);
  }

  items(name: SectionName): DataView[] {
    return Array.from({ length: this.#sections.get(SECTION[name])!.count }, (_, index) => this.item(name, index));
  }

  bytes(name: SectionName): Uint8Array {
    const { offset, length } = this.#sections.get(SECTION[name])!;
    return this.#bytes.subarray(offset, offset + length);
  }

  /** A copy, because sections are little-endian and this machine may not be. */
  words(name: SectionName): Uint32Array {
    const { offset, count } = this.#sections.get(SECTION[name])!;
    const words = new Uint32Array(count);
    for (let index = 0; index < count; index++) words[index] = this.#view.getUint32(offset + 4 * index, true);
    return words;
  }

  text(view: DataView, at: number): string {
    return new TextDecoder().decode(this.textBytes(view, at));
  }

  textBytes(view: DataView, at: number): Uint8Array {
    const strings = this.bytes('strings');
    const offset = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (offset + length > strings.length) throw new ImageError('text outside the strings');
    return strings.subarray(offset, offset + length);
  }

  json(name: SectionName): unknown {
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(this.bytes(name)));
    } catch {
      throw new ImageError(`${name} is not JSON`);
    }
  }

  #readEntry(at: number, first: number): void {
    const [id, offset, length, count] = [0, 4, 8, 12].map((field) => this.#view.getUint32(at + field, true));
    if (this.#sections.has(id!)) throw new ImageError('section occurs twice');
    if (offset! % 8 !== 0 || offset! < first || offset! + length! > this.#bytes.length) {
      throw new ImageError('section lies outside the image');
    }
    this.#sections.set(id!, { offset: offset!, length: length!, count: count! });
  }

  #checkCount(name: SectionName): void {
    const section = this.#sections.get(SECTION[name]);
    if (!section) throw new ImageError(`section ${name} is missing`);
    const size = ITEM_BYTES[name];
    if (size > 0 && section.count * size !== section.length)
      throw new ImageError("section's count and length disagree");
  }
}
