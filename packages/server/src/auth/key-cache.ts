import { KeyObject } from 'node:crypto';
import { isTextOrBytes, type KeyMaterial } from './key-material.js';

const MAX_TEXT_KEYS = 16;

interface ParsedBytes {
  readonly copy: Buffer;
  readonly key: KeyObject;
}

/**
 * Owns the parsed form of the keys it was asked for lately, so that a key is parsed once and not for each token.
 *
 * The key is given with each use, so a changed key is simply another key: text is looked up by its value, bytes by identity and then
 * compared with what they were (an application may overwrite them in place), a `KeyObject` by identity. The last 16 text keys are kept;
 * bytes and key objects are let go with the application's own reference. Encrypted keys are parsed each time.
 */
export class KeyCache {
  readonly #parse: (material: KeyMaterial) => KeyObject;
  readonly #byText = new Map<string, KeyObject>();
  readonly #byBytes = new WeakMap<Uint8Array, ParsedBytes>();
  readonly #byKeyObject = new WeakMap<KeyObject, KeyObject>();

  constructor(parse: (material: KeyMaterial) => KeyObject) {
    this.#parse = parse;
  }

  /** Gives the parsed `material`; throws what the parse function throws, and remembers no failure. */
  get(material: KeyMaterial): KeyObject {
    if (typeof material === 'string') return this.#text(material);
    if (material instanceof KeyObject) return this.#keyObject(material);
    if (isTextOrBytes(material)) return this.#bytes(material);
    return this.#parse(material);
  }

  #text(material: string): KeyObject {
    const known = this.#byText.get(material);
    if (known !== undefined) return known;
    const key = this.#parse(material);
    if (this.#byText.size >= MAX_TEXT_KEYS) {
      for (const oldest of this.#byText.keys()) {
        this.#byText.delete(oldest);
        break;
      }
    }
    this.#byText.set(material, key);
    return key;
  }

  #bytes(material: Uint8Array): KeyObject {
    const known = this.#byBytes.get(material);
    if (known?.copy.equals(material)) return known.key;
    const key = this.#parse(material);
    this.#byBytes.set(material, { copy: Buffer.from(material), key });
    return key;
  }

  #keyObject(material: KeyObject): KeyObject {
    const known = this.#byKeyObject.get(material);
    if (known !== undefined) return known;
    const key = this.#parse(material);
    this.#byKeyObject.set(material, key);
    return key;
  }
}
