/**
 * MIT Kerberos' libgssapi_krb5: the calls of RFC 2744 that a client's login needs. The structures
 * are those of 64-bit Linux, where size_t and pointers have 8 bytes.
 */
import { copyFromC, type Memcpy, Memory } from "./gssapi_memory.ts";
import { type Library, loadLibrary } from "./gssapi_symbols.ts";

/** A name, credential or context of the library; 0: none. */
export type Handle = bigint;

/** A call that failed. `minor` is the code of Kerberos, `text` what the library says to it. */
export class GssError extends Error {
  override readonly name = "GssError";
  readonly major: number;
  readonly minor: number;

  constructor(major: number, minor: number, text: string) {
    super(text);
    this.major = major;
    this.minor = minor;
  }
}

/** What a credential is made of; without a value, what the library takes by default. */
export interface CredentialSource {
  /** The client's principal. */
  name: Handle;
  /** Keys of its credential store: client_keytab, ccache. */
  store: Readonly<Record<string, string>>;
}

/** One step of a context. */
export interface Step {
  /** For the other side; may be empty. */
  token: Uint8Array<ArrayBuffer>;
  done: boolean;
  /** Whether the other side has proved who it is; known when it is done. */
  mutual: boolean;
}

// Constants of gssapi.h.
const C_INITIATE = 1;
const C_MUTUAL_FLAG = 2;
const C_INTEG_FLAG = 32;
const S_CONTINUE_NEEDED = 1;
const C_GSS_CODE = 1;
const C_MECH_CODE = 2;

/** Object identifiers as DER has them, without tag and length. */
const oids = {
  /** 1.2.840.113554.1.2.2, Kerberos 5. */
  kerberos: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02],
  /** 1.2.840.113554.1.2.2.1, `user@REALM`. */
  principal: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01],
  /** 1.2.840.113554.1.2.1.4, `service@host`. */
  service: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04],
};

/** Room for the structures of one call. */
const ROOM = 1024;

let opened: GssLibrary | null = null;

/** The library of this host, opened once. Throws Failure (usage) if it has none. */
export function gssLibrary(): GssLibrary {
  return opened ??= new GssLibrary(loadLibrary());
}

/** Its calls. Each throws GssError. */
export class GssLibrary {
  readonly #c: Library["symbols"];
  /** Structures that every call may point to. They live as long as the library. */
  readonly #constants: Memory;
  readonly #oids: Record<keyof typeof oids, bigint>;
  readonly #mechanisms: bigint;

  constructor(library: Library) {
    this.#c = library.symbols;
    this.#constants = new Memory(this.#c.memcpy, ROOM);
    const oid = (bytes: number[]) =>
      this.#constants.words(bytes.length, this.#constants.place(Uint8Array.from(bytes)));
    this.#oids = {
      kerberos: oid(oids.kerberos),
      principal: oid(oids.principal),
      service: oid(oids.service),
    };
    this.#mechanisms = this.#constants.words(1, this.#oids.kerberos);
  }

  #call(room = 0): Call {
    return new Call(this.#c.memcpy, room);
  }

  /** A name: `service@host`, or a principal. */
  importName(text: string, kind: "service" | "principal"): Handle {
    const call = this.#call(text.length * 3);
    const status = this.#c.gss_import_name(
      call.minor,
      call.input(new TextEncoder().encode(text)),
      this.#oids[kind],
      call.result,
    );
    this.#check(status, call);
    return call.handle;
  }

  /** A name as the KDC is asked for it: `kafka/host.example@EXAMPLE`. */
  async principalOf(name: Handle): Promise<string> {
    const call = this.#call();
    const status = await this.#c.gss_canonicalize_name(
      call.minor,
      name,
      this.#oids.kerberos,
      call.result,
    );
    this.#check(status, call);
    try {
      return this.#display(call.handle);
    } finally {
      this.releaseName(call.handle);
    }
  }

  async acquire({ name, store }: CredentialSource): Promise<Handle> {
    const pairs = Object.entries(store);
    const call = this.#call(pairs.flat().reduce((sum, text) => sum + 3 * text.length + 32, 0));
    const elements = call.memory.words(...pairs.flat().map((text) => call.memory.text(text)));
    const set = pairs.length === 0 ? 0n : call.memory.words(pairs.length, elements);
    const status = await this.#c.gss_acquire_cred_from(
      call.minor,
      name,
      0,
      this.#mechanisms,
      C_INITIATE,
      set,
      call.result,
      0n,
      0n,
    );
    this.#check(status, call);
    return call.handle;
  }

  /** The principal of a credential. */
  async owner(credential: Handle): Promise<string> {
    const call = this.#call();
    const status = await this.#c.gss_inquire_cred(call.minor, credential, call.result, 0n, 0n, 0n);
    this.#check(status, call);
    try {
      return this.#display(call.handle);
    } finally {
      this.releaseName(call.handle);
    }
  }

  /**
   * The next step of a context; the first one makes it. `onContext` gets its handle also if the
   * step fails: it is to be released.
   */
  async step(
    { credential, context, target }: { credential: Handle; context: Handle; target: Handle },
    token: Uint8Array,
    onContext: (context: Handle) => void,
  ): Promise<Step> {
    const call = this.#call(token.length);
    const cell = call.memory.words(context);
    const flags = call.memory.words(0);
    const status = await this.#c.gss_init_sec_context(
      call.minor,
      credential,
      cell,
      target,
      this.#oids.kerberos,
      C_MUTUAL_FLAG | C_INTEG_FLAG,
      0,
      0n,
      token.length === 0 ? 0n : call.input(token),
      0n,
      call.output,
      flags,
      0n,
    );
    onContext(call.memory.word(cell));
    const answer = this.#takeOutput(call);
    this.#check(status, call);
    return {
      token: answer,
      done: status !== S_CONTINUE_NEEDED,
      mutual: (call.memory.uint32(flags) & C_MUTUAL_FLAG) !== 0,
    };
  }

  /** A message with a checksum, not encrypted. */
  wrap(context: Handle, message: Uint8Array): Uint8Array<ArrayBuffer> {
    const call = this.#call(message.length);
    const status = this.#c.gss_wrap(
      call.minor,
      context,
      0,
      0,
      call.input(message),
      0n,
      call.output,
    );
    const wrapped = this.#takeOutput(call);
    this.#check(status, call);
    return wrapped;
  }

  /** The message in what the other side wrapped. */
  unwrap(context: Handle, wrapped: Uint8Array): Uint8Array<ArrayBuffer> {
    const call = this.#call(wrapped.length);
    const status = this.#c.gss_unwrap(
      call.minor,
      context,
      call.input(wrapped),
      call.output,
      0n,
      0n,
    );
    const message = this.#takeOutput(call);
    this.#check(status, call);
    return message;
  }

  releaseName(name: Handle): void {
    this.#release("gss_release_name", name);
  }

  releaseCredential(credential: Handle): void {
    this.#release("gss_release_cred", credential);
  }

  releaseContext(context: Handle): void {
    if (context === 0n) return;
    const call = this.#call();
    this.#c.gss_delete_sec_context(call.minor, call.memory.words(context), 0n);
  }

  #release(symbol: "gss_release_name" | "gss_release_cred", handle: Handle): void {
    if (handle === 0n) return;
    const call = this.#call();
    this.#c[symbol](call.minor, call.memory.words(handle));
  }

  #display(name: Handle): string {
    const call = this.#call();
    const status = this.#c.gss_display_name(call.minor, name, call.output, 0n);
    const text = decoder.decode(this.#takeOutput(call));
    this.#check(status, call);
    return text;
  }

  /** A copy of the bytes that the library made, which are then freed. */
  #takeOutput(call: Call): Uint8Array<ArrayBuffer> {
    const [length, address] = [call.memory.word(call.output), call.memory.word(call.output + 8n)];
    const bytes = copyFromC(this.#c.memcpy, address, length);
    if (address !== 0n) this.#c.gss_release_buffer(this.#call().minor, call.output);
    return bytes;
  }

  #check(major: number, call: Call): void {
    if (major >>> 16 === 0) return;
    const minor = call.memory.uint32(call.minor) | 0;
    const text = minor === 0 ? this.#status(major, C_GSS_CODE) : this.#status(minor, C_MECH_CODE);
    throw new GssError(major >>> 0, minor, text);
  }

  /** The library's text to a code. It keeps details for the thread of a call, which is another. */
  #status(code: number, type: number): string {
    const call = this.#call();
    const status = this.#c.gss_display_status(
      call.minor,
      code >>> 0,
      type,
      type === C_MECH_CODE ? this.#oids.kerberos : 0n,
      call.result,
      call.output,
    );
    const text = decoder.decode(this.#takeOutput(call));
    return status === 0 && text !== "" ? text : `code ${code}`;
  }
}

const decoder = new TextDecoder();

/** The memory of one call. It must be referred to until the call has returned. */
class Call {
  readonly memory: Memory;
  /** Of the minor status. */
  readonly minor: bigint;
  /** Of a handle that the call returns. */
  readonly result: bigint;
  /** Of a gss_buffer_desc that the call fills. */
  readonly output: bigint;

  /** `room` is what the input needs. */
  constructor(memcpy: Memcpy, room: number) {
    this.memory = new Memory(memcpy, ROOM + room);
    this.minor = this.memory.words(0);
    this.result = this.memory.words(0);
    this.output = this.memory.words(0, 0);
  }

  /** A gss_buffer_desc with these bytes. */
  input(bytes: Uint8Array): bigint {
    return this.memory.words(bytes.length, this.memory.place(bytes));
  }

  get handle(): Handle {
    return this.memory.word(this.result);
  }
}
